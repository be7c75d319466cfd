"""`python -m mnist_core` is `mnist-core`."""

from mnist_core.cli.app import main

main()
