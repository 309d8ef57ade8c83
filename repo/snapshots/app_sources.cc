#include "repo/snapshots/app_sources.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <utility>

#include "repo/snapshots/app_names.h"
#include "repo/snapshots/free_names.h"

namespace restree {
namespace {

// What was backed up: {app}, {maintainer, app}, or {"", host, paths…}. The first path names the
// app; the order of the others does not matter.
using Source = std::vector<std::string>;

bool is_tagged(const Source& source) { return source.size() <= 2 && !source.front().empty(); }

Source source_of(const Snapshot& snapshot) {
  if (auto tags = app_tags(snapshot)) {
    if (tags->maintainer.empty()) return {std::move(tags->app)};
    return {std::move(tags->maintainer), std::move(tags->app)};
  }
  Source source{"", snapshot.hostname};
  std::set<std::string> others;
  for (const std::string& path : snapshot.paths) {
    std::string clean = fmt::format("{}", fmt::join(path_components(path), "/"));
    if (source.size() == 2) {
      source.push_back(std::move(clean));
    } else {
      others.insert(std::move(clean));
    }
  }
  source.insert(source.end(), others.begin(), others.end());
  return source;
}

// Lengths in front, so that no two sources read the same.
std::string identity_text(const Source& source) {
  if (source.size() == 1) return source.front();
  std::string text;
  for (const std::string& part : source) text += fmt::format("{}:{}\n", part.size(), part);
  return text;
}

// `text` with each of `bytes` as %XX.
std::string escaped(std::string_view text, std::string_view bytes) {
  std::string out;
  for (const char c : text) {
    if (bytes.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string with_plus_signs(const std::vector<std::string>& components) {
  std::string text;
  for (const std::string& component : components) {
    if (!text.empty()) text += '+';
    text += escaped(escaped_bytes(component), "@+,");
  }
  return text;
}

std::string full_name(const Source& source, const std::string& plain_name) {
  std::string name;
  if (is_tagged(source)) {
    for (const std::string& part : source) {
      if (!name.empty()) name += '_';
      name += escaped(escaped_bytes(part), "_");
    }
    return shortened_entry(name, name);
  }
  name = escaped(plain_name, "@+,") + '@' + escaped(escaped_bytes(source[1]), "@+,");
  for (std::size_t i = 2; i < source.size(); ++i) {
    std::vector<std::string> components = path_components(source[i]);
    if (i > 2) {
      name += ',' + with_plus_signs(components);
    } else if (components.size() > 1) {
      components.pop_back();
      name += '+' + with_plus_signs(components);
    }
  }
  return shortened_entry(name, name);
}

struct Found {
  std::string plain_name;
  std::vector<const Snapshot*> snapshots;
};
using Sources = std::map<Source, Found>;

// The source that has the plain name, for each name that one has.
std::map<std::string, const Source*> owners_of_plain_names(const Sources& sources) {
  std::map<std::string, const Source*> owners;
  for (const bool tagged : {true, false}) {
    std::map<std::string, const Source*> claims;
    for (const auto& [source, found] : sources) {
      if (is_tagged(source) != tagged) continue;
      const auto [claim, is_first] = claims.emplace(found.plain_name, &source);
      if (!is_first) claim->second = nullptr;
    }
    owners.insert(claims.begin(), claims.end());
  }
  std::erase_if(owners, [](const auto& owner) { return owner.second == nullptr; });
  return owners;
}

}  // namespace

std::vector<App> apps_of(const std::vector<const Snapshot*>& snapshots) {
  Sources sources;
  for (const Snapshot* snapshot : snapshots) {
    Found& found = sources[source_of(*snapshot)];
    if (found.snapshots.empty()) found.plain_name = entry_name(app_of(*snapshot));
    found.snapshots.push_back(snapshot);
  }
  const auto owners = owners_of_plain_names(sources);
  std::set<std::string> given;
  FreeNames free_names;
  for (const auto& [name, source] : owners) given.insert(name);
  std::vector<App> apps;
  for (auto& [source, found] : sources) {
    const auto owner = owners.find(found.plain_name);
    std::string name = found.plain_name;
    if (owner == owners.end() || owner->second != &source) {
      name = free_names.find(full_name(source, found.plain_name),
                             [&](const std::string& taken) { return given.contains(taken); });
      given.insert(name);
    }
    apps.push_back({std::move(name), identity_text(source), std::move(found.snapshots)});
  }
  return apps;
}

}  // namespace restree
