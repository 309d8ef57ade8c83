#include "program/command_line/flags.h"

#include <fmt/core.h>

#include <cstddef>
#include <utility>

#include "program/command_line/go_values.h"

namespace restree {
namespace {

Error invalid(std::string message) { return {ErrorKind::kInvalid, std::move(message)}; }

// As Go's %q writes a byte: as the rune of that number, in single quotes.
std::string quoted_letter(char letter) {
  if (letter == '\'') return "'\\''";
  if (letter == '"') return "'\"'";
  const auto byte = static_cast<unsigned char>(letter);
  const std::string rune = byte < 0x80 ? std::string(1, letter)
                                       : std::string{static_cast<char>(0xc0 | byte >> 6),
                                                     static_cast<char>(0x80 | (byte & 0x3f))};
  const std::string quoted = go_quoted(rune);
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

std::string both_names(const Flag& flag) {
  if (flag.letter == '\0') return "--" + flag.name;
  return fmt::format("-{}{}{}", flag.letter, flag.name.empty() ? "" : ", --", flag.name);
}

// One walk over the words of a command line.
class Parser {
 public:
  Parser(const Flags& flags, const std::vector<std::string>& words)
      : flags_(flags), words_(words) {}

  Result<ParsedWords> run() && {
    while (next_ < words_.size()) {
      const std::string& word = words_[next_++];
      if (word == "--") {
        parsed_.arguments.insert(parsed_.arguments.end(),
                                 words_.begin() + static_cast<std::ptrdiff_t>(next_), words_.end());
        break;
      }
      if (word.size() < 2 || word.front() != '-') {
        parsed_.arguments.push_back(word);
      } else if (word[1] == '-') {
        RETURN_IF_ERROR(take_name(word));
      } else {
        RETURN_IF_ERROR(take_letters(std::string_view(word).substr(1)));
      }
    }
    return std::move(parsed_);
  }

 private:
  Status take_name(const std::string& word) {
    const std::string_view text = std::string_view(word).substr(2);
    if (text.starts_with('-') || text.starts_with('=')) return invalid("bad flag syntax: " + word);
    const std::size_t equals = text.find('=');
    const std::string name(text.substr(0, equals));
    const Flag* const flag = flags_.find(name);
    if (flag == nullptr) return invalid("unknown flag: --" + name);
    if (equals != std::string_view::npos) return set(*flag, std::string(text.substr(equals + 1)));
    if (!flag->bare_value.empty()) return set(*flag, flag->bare_value);
    if (next_ == words_.size()) return invalid("flag needs an argument: --" + name);
    return set(*flag, words_[next_++]);
  }

  Status take_letters(std::string_view letters) {
    while (!letters.empty()) {
      const Flag* const flag = flags_.find(letters.front());
      if (flag == nullptr) {
        return invalid(fmt::format("unknown shorthand flag: {} in -{}",
                                   quoted_letter(letters.front()), letters));
      }
      const std::string_view rest = letters.substr(1);
      if (rest.size() > 1 && rest.front() == '=') return set(*flag, std::string(rest.substr(1)));
      if (!flag->bare_value.empty()) {
        RETURN_IF_ERROR(set(*flag, flag->bare_value));
        letters = rest;
        continue;
      }
      if (!rest.empty()) return set(*flag, std::string(rest));
      if (next_ == words_.size()) {
        return invalid(fmt::format("flag needs an argument: {} in -{}",
                                   quoted_letter(letters.front()), letters));
      }
      return set(*flag, words_[next_++]);
    }
    return {};
  }

  Status set(const Flag& flag, const std::string& value) {
    if (Status taken = flag.set(value); !taken) {
      if (taken.error().kind() != ErrorKind::kInvalid) return taken;
      return std::move(taken).error().with(
          fmt::format("invalid argument {} for \"{}\" flag", go_quoted(value), both_names(flag)));
    }
    if (!flag.deprecation.empty()) {
      parsed_.notices.push_back(
          fmt::format("Flag --{} has been deprecated, {}", flag.name, flag.deprecation));
    }
    return {};
  }

  const Flags& flags_;
  const std::vector<std::string>& words_;
  std::size_t next_ = 0;
  ParsedWords parsed_;
};

}  // namespace

const Flag* Flags::find(std::string_view name) const {
  for (const Flag& flag : flags_) {
    if (!name.empty() && flag.name == name) return &flag;
  }
  return outer_ == nullptr ? nullptr : outer_->find(name);
}

const Flag* Flags::find(char letter) const {
  for (const Flag& flag : flags_) {
    if (letter != '\0' && flag.letter == letter) return &flag;
  }
  return outer_ == nullptr ? nullptr : outer_->find(letter);
}

Result<ParsedWords> Flags::parse(const std::vector<std::string>& words) const {
  return Parser(*this, words).run();
}

}  // namespace restree
