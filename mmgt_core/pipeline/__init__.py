"""From input files to output files: the steps that the command line and the nodes share."""
