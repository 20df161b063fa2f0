"""Pictures as data: the network, the block, marks and charts."""
