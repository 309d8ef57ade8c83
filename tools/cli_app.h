// CLI11's class for a command line, by name alone: its header takes a compiler longer than all of a
// command does.
#pragma once

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name for itself
class App;
}
