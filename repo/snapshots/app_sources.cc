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

// What was backed up: by its tags, or else by its host and paths.
struct Source {
  std::string app;  // empty without the tag
  std::string maintainer;
  std::string host;                // these two are empty with the tag
  std::vector<std::string> paths;  // the one that names the app, then the others, sorted
  auto operator<=>(const Source&) const = default;

  bool is_tagged() const { return !app.empty(); }
};

Source source_of(const Snapshot& snapshot) {
  Source source;
  if (auto tags = app_tags(snapshot)) {
    source.app = std::move(tags->app);
    source.maintainer = std::move(tags->maintainer);
    return source;
  }
  source.host = snapshot.hostname;
  std::set<std::string> others;
  for (const std::string& path : snapshot.paths) {
    std::string clean = fmt::format("{}", fmt::join(path_components(path), "/"));
    if (source.paths.empty()) {
      source.paths.push_back(std::move(clean));
    } else {
      others.insert(std::move(clean));
    }
  }
  source.paths.insert(source.paths.end(), others.begin(), others.end());
  return source;
}

// Each part has its length in front, so that parts cannot run together.
std::string identity_text(const Source& source) {
  std::string text;
  const auto add = [&](const std::string& part) {
    text += fmt::format("{}:{}\n", part.size(), part);
  };
  for (const std::string* part : {&source.maintainer, &source.app, &source.host}) add(*part);
  for (const std::string& path : source.paths) add(path);
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
  if (source.is_tagged()) {
    if (!source.maintainer.empty()) name = escaped(escaped_bytes(source.maintainer), "_") + '_';
    name += escaped(escaped_bytes(source.app), "_");
    return shortened_entry(name, name);
  }
  name = escaped(plain_name, "@+,") + '@' + escaped(escaped_bytes(source.host), "@+,");
  for (std::size_t i = 0; i < source.paths.size(); ++i) {
    std::vector<std::string> components = path_components(source.paths[i]);
    if (i > 0) {
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

// Maps each plain name to the one source that may have it: the only one that would have it among
// those with tags, or, if there are none, among those without. Other names are not in the map.
std::map<std::string, const Source*> owners_of_plain_names(const Sources& sources) {
  std::map<std::string, const Source*> owners;
  for (const bool tagged : {true, false}) {
    std::map<std::string, const Source*> claims;
    for (const auto& [source, found] : sources) {
      if (source.is_tagged() != tagged) continue;
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
      name =
          free_names.find(full_name(source, found.plain_name),
                          [&](const std::string& candidate) { return given.contains(candidate); });
      given.insert(name);
    }
    apps.push_back({std::move(name), identity_text(source), std::move(found.snapshots)});
  }
  return apps;
}

}  // namespace restree
