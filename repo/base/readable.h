// Names and texts from a backup, a server or a user as they may be shown: none of them can forge a
// line, drive a terminal or give away a password. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace restree {

// Control bytes but `kept`, bytes that are not UTF-8, and `more` become \xHH.
std::string escaped(std::string_view text, std::string_view kept, std::string_view more);

// The name as it is if it can stand in a line like that, else as log::quoted() shows it.
std::string readable(std::string_view name);

// A text of several lines as it may reach a terminal: control bytes except line ends and tabs, and
// bytes that are not UTF-8, are shown as \xHH.
std::string for_terminal(std::string_view text);

// A location as it may be shown, whether or not it is well-formed: in "kind://user:password@host"
// the password is replaced by "***", as restic does it.
std::string without_password(std::string_view location);

}  // namespace restree
