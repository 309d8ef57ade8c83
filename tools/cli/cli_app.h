// Declares CLI11's class for a command line without including its header, which takes longer to
// compile than a whole command.
#pragma once

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name for itself
class App;
}
