"""Tools of a developer's machine: an instance, a demo site, a mail catcher, benchmarks."""
