"""The commands, one file each: read the arguments, call the library, print.

Each imports the library when it is called, so that ``regzoo --help`` takes a fraction of a second.
"""
