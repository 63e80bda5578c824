"""Installs the real editors that `tests/editors` drives into a cache folder.

    python -m tools.editors install --into .cache/editors            # all of them
    python -m tools.editors install nvim-0.12 tmux --into .cache/editors

`FOLDER/bin/NAME` starts each program. What is there already, in the version asked for, is left alone.
Programs that the tests take from the system (a browser, Emacs, tmux, a compiler) are installed with apt-get
when this runs as root; else the one command to run is told. Each recipe writes to `FOLDER/logs/NAME.log`.
"""
