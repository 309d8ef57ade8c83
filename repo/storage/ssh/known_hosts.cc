#include "repo/storage/ssh/known_hosts.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

namespace restree {

namespace {

// The host key algorithms of libssh2 that are safe, the preferred ones first.
constexpr std::array<std::string_view, 5> kAlgorithms{
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"};

std::string_view take_word(std::string_view& line) {
  const auto start = line.find_first_not_of(" \t\r");
  line.remove_prefix(std::min(start, line.size()));
  const auto word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

// `*` matches any run of characters, `?` any one, and letters match in either case. Never
// exponential: on a mismatch only the last star is tried again.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || same_letter(pattern[p], name[n]))) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool any_matches(std::string_view patterns, std::string_view name) {
  bool matched = false;
  while (!patterns.empty()) {
    auto pattern = patterns.substr(0, patterns.find(','));
    patterns.remove_prefix(std::min(pattern.size() + 1, patterns.size()));
    const bool negated = pattern.starts_with('!');
    if (negated) pattern.remove_prefix(1);
    if (pattern.empty() || !matches(pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

}  // namespace

std::string KnownHosts::name_of(const std::string& host, std::uint16_t port) {
  std::string name = port == 22 ? host : fmt::format("[{}]:{}", host, port);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

Result<KnownHosts> KnownHosts::read(const std::vector<std::string>& files, std::string name,
                                    const HashedNameIs& hashed_name_is) {
  KnownHosts known(std::move(name));
  for (const auto& file : files) {
    std::ifstream stream(file);
    if (!stream) {
      if (errno == ENOENT || errno == ENOTDIR) continue;
      return errno_error(errno, "read " + file);
    }
    std::string text;
    std::array<char, 4096> piece{};
    while (stream.read(piece.data(), piece.size()), stream.gcount() > 0) {
      text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    }
    if (stream.bad()) return Error(ErrorKind::kLocalIo, "read " + file + ": it cannot be read");
    known.add_file(text, file, hashed_name_is);
  }
  return known;
}

void KnownHosts::add_file(std::string_view text, const std::string& file,
                          const HashedNameIs& hashed_name_is) {
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string_view names = take_word(line);
    if (names.empty() || names.starts_with('#')) continue;
    const bool revoked = names == "@revoked";
    if (names.starts_with('@')) {
      if (!revoked) continue;
      names = take_word(line);
    }
    const std::string_view type = take_word(line);
    const std::string_view key = take_word(line);
    if (key.empty()) continue;
    const bool ours =
        names.starts_with('|') ? hashed_name_is(names, name_) : any_matches(names, name_);
    if (ours) keys_.push_back({std::string(type), std::string(key), revoked, file, number});
  }
}

KnownHosts::Verdict KnownHosts::judge(std::string_view type, std::string_view key,
                                      const KnownKey** contradicted_by) const {
  Verdict verdict = Verdict::kUnknown;
  for (const auto& known : keys_) {
    if (known.key == key && known.revoked) return Verdict::kRevoked;
    if (known.key == key) {
      verdict = Verdict::kKnown;
    } else if (!known.revoked && known.type == type && verdict == Verdict::kUnknown) {
      verdict = Verdict::kChanged;
      if (contradicted_by != nullptr) *contradicted_by = &known;
    }
  }
  return verdict;
}

std::string KnownHosts::preferred_algorithms() const {
  const auto is_known = [this](std::string_view algorithm) {
    return std::any_of(keys_.begin(), keys_.end(),
                       [&](const KnownKey& key) { return !key.revoked && key.type == algorithm; });
  };
  auto ordered = kAlgorithms;
  std::stable_partition(ordered.begin(), ordered.end(), is_known);
  std::string list;
  for (const auto algorithm : ordered) {
    if (!list.empty()) list += ',';
    list += algorithm;
  }
  return list;
}

}  // namespace restree
