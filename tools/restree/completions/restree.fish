# fish completion for restree, for programs that could not run where they were built: asks the program.
restree generate --fish-completion - 2>/dev/null | source
