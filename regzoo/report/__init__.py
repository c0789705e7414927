"""The report: reads records, never the models; needs no TensorFlow."""
