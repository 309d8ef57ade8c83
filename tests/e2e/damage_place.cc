#include "tests/e2e/damage_place.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <stdexcept>
#include <system_error>

#include "repo/crypto/sha256.h"
#include "repo/storage/local_storage.h"
#include "repo/writer/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/need.h"
#include "tests/support/password.h"
#include "tests/support/repository_builder.h"
#include "tests/support/repository_files.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlobBytes = 5000;
// So that three blobs of data fill a pack.
constexpr std::size_t kPackBytes = 3 * kBlobBytes;

Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

std::unique_ptr<Repository> open_repository(const fs::path& root) {
  auto repository = need(Repository::open(make_local_storage(root.string()),
                                          Secret(std::string(kPassword)), "", soon()));
  need(repository->refresh_index(soon()));
  return repository;
}

std::string tree_json(const std::vector<std::string>& nodes) {
  std::string json;
  for (const std::string& node : nodes) json += (json.empty() ? "" : ",") + node;
  return "{\"nodes\":[" + json + "]}\n";
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// Instead of bytes that no message should show.
std::string described(const std::string& content) {
  return std::to_string(content.size()) + " bytes " +
         to_hex(sha256(as_bytes(content))).substr(0, 8);
}

std::uint64_t from_the_front(const fs::path& file, std::int64_t at) {
  return at >= 0 ? static_cast<std::uint64_t>(at)
                 : fs::file_size(file) - static_cast<std::uint64_t>(-at);
}

}  // namespace

Content content_below(const fs::path& folder) {
  Content content;
  const auto options = fs::directory_options::skip_permission_denied;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, options, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::string& here = content["/" + at->path().lexically_relative(folder).string()];
    if (!at->is_directory()) {
      here = errno_of_reading(at->path()) == 0 ? described(read_file(at->path())) : kUnreadable;
      continue;
    }
    std::error_code unreadable;
    fs::directory_iterator(at->path(), unreadable);
    here = unreadable ? kUnreadable : kFolder;
    if (unreadable) at.disable_recursion_pending();
  }
  return content;
}

DamagePlace::DamagePlace() {
  restic_.init();
  const auto repository = open_repository(restic_.repository());
  store_older(*repository);
  store_newer(*repository);
  save_snapshot(*repository, "notes1", "notes");
  save_snapshot(*repository, "notes2", "notes");
  save_snapshot(*repository, "mail", "mail");
}

void DamagePlace::store_older(Repository& repository) {
  RepositoryWriter writer(repository, {.pack_bytes = kPackBytes}, {});
  std::uint64_t seed = 0;
  for (const char* const name : {"big.0", "big.1", "big.2", "big.3", "small", "first", "last"}) {
    texts_[name] = random_bytes(++seed, kBlobBytes);
    blobs_[name] = {.id = need(writer.save(BlobType::kData, as_bytes(texts_[name]))).id,
                    .type = BlobType::kData};
  }
  const auto save_tree = [&](const std::string& name, const std::vector<std::string>& nodes) {
    const std::string json = tree_json(nodes);
    blobs_[name] = {.id = need(writer.save(BlobType::kTree, as_bytes(json))).id,
                    .type = BlobType::kTree};
  };
  save_tree("notes1/folder/deep", {file_node("last", {id("last")}, kBlobBytes)});
  save_tree("notes1/folder", {folder_node("deep", id("notes1/folder/deep")),
                              file_node("first", {id("first")}, kBlobBytes)});
  save_tree(
      "notes1/",
      {file_node("big", {id("big.0"), id("big.1"), id("big.2"), id("big.3")}, 4 * kBlobBytes),
       folder_node("folder", id("notes1/folder")), file_node("link1", {id("small")}, kBlobBytes),
       file_node("link2", {id("small")}, kBlobBytes)});
  need(writer.flush());
  name_packs(repository, "older");
  models_["notes1"] = {{"/big", {{"big.0", "big.1", "big.2", "big.3"}, ""}},
                       {"/folder", {{}, "notes1/folder"}},
                       {"/folder/deep", {{}, "notes1/folder/deep"}},
                       {"/folder/deep/last", {{"last"}, ""}},
                       {"/folder/first", {{"first"}, ""}},
                       {"/link1", {{"small"}, ""}},
                       {"/link2", {{"small"}, ""}}};
}

void DamagePlace::store_newer(Repository& repository) {
  RepositoryWriter writer(repository, {.pack_bytes = kPackBytes}, {});
  need(writer.save_again(BlobType::kData, id("small"), as_bytes(texts_["small"])));
  std::uint64_t seed = 100;
  for (const char* const name : {"added", "inbox"}) {
    texts_[name] = random_bytes(++seed, kBlobBytes);
    blobs_[name] = {.id = need(writer.save(BlobType::kData, as_bytes(texts_[name]))).id,
                    .type = BlobType::kData};
  }
  const auto save_root = [&](const std::string& name, const std::vector<std::string>& nodes) {
    const std::string json = tree_json(nodes);
    blobs_[name] = {.id = need(writer.save(BlobType::kTree, as_bytes(json))).id,
                    .type = BlobType::kTree};
  };
  save_root(
      "notes2/",
      {file_node("added", {id("added")}, kBlobBytes),
       file_node("big", {id("big.0"), id("big.1"), id("big.2"), id("big.3")}, 4 * kBlobBytes),
       folder_node("folder", id("notes1/folder")), file_node("link1", {id("small")}, kBlobBytes),
       file_node("link2", {id("small")}, kBlobBytes)});
  save_root("mail/", {file_node("inbox", {id("inbox")}, kBlobBytes)});
  need(writer.flush());
  name_packs(repository, "newer");
  models_["notes2"] = models_["notes1"];
  models_["notes2"]["/added"] = {{"added"}, ""};
  models_["mail"] = {{"/inbox", {{"inbox"}, ""}}};
}

// Names the index file that came last, the blobs that it names first, and their packs.
void DamagePlace::name_packs(Repository& repository, const std::string& index) {
  need(repository.refresh_index(soon()));
  for (const fs::path& file : stored_in(restic_.repository(), "index")) {
    const fs::path relative = file.lexically_relative(restic_.repository());
    const bool is_named =
        std::ranges::any_of(files_, [&](const auto& named) { return named.second == relative; });
    if (!is_named) files_[index] = relative;
  }
  const std::map<std::string, std::string> pack_of{
      {"big.0", "chunks"},  {"big.1", "chunks"},  {"big.2", "chunks"},
      {"big.3", "mixed"},   {"small", "mixed"},   {"first", "mixed"},
      {"last", "single"},   {"notes1/", "trees"}, {"notes1/folder", "trees"},
      {"notes2/", "roots"}, {"mail/", "roots"},   {"notes1/folder/deep", "trees"},
      {"added", "later"},   {"inbox", "later"}};
  for (auto& [name, blob] : blobs_) {
    if (!blob.pack.empty()) continue;
    const BlobLocation place = repository.find_blobs(blob.type, blob.id).at(0);
    blob.pack = pack_of.at(name);
    blob.offset = place.offset;
    blob.length = place.length;
    const fs::path file = relative_path({FileType::kPack, place.pack.hex()});
    const auto [at, is_new] = files_.emplace(blob.pack, file);
    if (at->second != file) throw std::runtime_error(name + " is not in the pack " + blob.pack);
  }
}

void DamagePlace::save_snapshot(Repository& repository, const std::string& name,
                                const std::string& app) {
  Snapshot snapshot{};
  snapshot.time = {1767322800 + static_cast<std::int64_t>(files_.size()) * 86400, 0};
  snapshot.tree = id(name + "/");
  snapshot.paths = {"/" + app};
  snapshot.hostname = "host";
  snapshot.username = "user";
  snapshot.tags = {"app=" + app};
  const SnapshotId saved = need(repository.save_snapshot(snapshot, soon()));
  files_[name] = relative_path({FileType::kSnapshot, saved.hex()});
}

std::optional<Content> DamagePlace::content_of(const std::string& snapshot,
                                               const std::set<std::string>& lost) const {
  if (lost.contains(snapshot + "/")) return std::nullopt;
  Content content;
  for (const auto& [path, entry] : models_.at(snapshot)) {
    const std::string parent = path.substr(0, path.rfind('/'));
    const bool is_inside_lost =
        !parent.empty() &&
        (!content.contains(parent) || lost.contains(models_.at(snapshot).at(parent).tree));
    if (is_inside_lost) continue;
    std::string text;
    for (const std::string& chunk : entry.chunks) {
      if (!lost.contains(chunk)) text += texts_.at(chunk);
    }
    content[path] = entry.tree.empty() ? described(text) : kFolder;
  }
  return content;
}

std::set<std::string> DamagePlace::hit_paths(const std::string& snapshot,
                                             const std::set<std::string>& lost) const {
  std::set<std::string> hit;
  for (const auto& [path, entry] : models_.at(snapshot)) {
    const bool is_hit = lost.contains(entry.tree) ||
                        std::ranges::any_of(entry.chunks, [&](const std::string& chunk) {
                          return lost.contains(chunk);
                        });
    if (is_hit) hit.insert(path);
  }
  return hit;
}

Content DamagePlace::shown_content_of(const std::string& snapshot,
                                      const std::set<std::string>& lost) const {
  if (lost.contains(snapshot + "/")) return {};
  const std::set<std::string> hit = hit_paths(snapshot, lost);
  const Content everything = content_of(snapshot).value();
  Content shown;
  for (const auto& [path, content] : everything) {
    const bool is_inside_hit = std::ranges::any_of(hit, [&, at = path](const std::string& folder) {
      return at.starts_with(folder + "/") && everything.at(folder) == kFolder;
    });
    if (!is_inside_hit) shown[path] = hit.contains(path) ? kUnreadable : content;
  }
  return shown;
}

std::string DamagePlace::in_names(std::string text) const {
  const auto put = [&](const std::string& hex, const std::string& name) {
    replace_all(text, hex, name);
    replace_all(text, hex.substr(0, 8), name);
  };
  text = std::regex_replace(text, std::regex("data/[0-9a-f]{2}/"), "data/");
  for (const auto& [name, file] : files_) put(file.filename().string(), name);
  for (const auto& [name, blob] : blobs_) put(blob.id.hex(), name);
  return text;
}

DamagedCopy::DamagedCopy(const DamagePlace& place) : place_(place) {
  fs::create_directories(restic_.repository().parent_path());
  run_ok({.argv = {"cp", "-aT", place.restic().repository().string(), root().string()}});
}

fs::path DamagedCopy::file(const std::string& name) const {
  if (name == "key") return files_below(root() / "keys").at(0);
  return root() / (name == "config" ? fs::path(name) : place_.files().at(name));
}

void DamagedCopy::flip(const std::string& name, std::int64_t at) const {
  flip_byte(file(name), from_the_front(file(name), at));
}

void DamagedCopy::flip_blob(const std::string& name) const {
  flip(blob(name).pack, blob(name).offset + 40);
}

void DamagedCopy::cut(const std::string& name, std::int64_t size) const {
  fs::permissions(file(name), fs::perms::owner_all);
  fs::resize_file(file(name), from_the_front(file(name), size));
}

void DamagedCopy::append(const std::string& name, const std::string& garbage) const {
  fs::permissions(file(name), fs::perms::owner_all);
  write_file(file(name), read_file(file(name)) + garbage);
}

void DamagedCopy::put_fifo(const std::string& name) {
  odd_.push_back(file(name));
  fs::remove(odd_.back());
  if (::mkfifo(odd_.back().c_str(), 0600) != 0) {
    throw std::system_error(errno, std::generic_category(), name);
  }
}

void DamagedCopy::put_folder(const std::string& name) {
  odd_.push_back(file(name));
  fs::remove(odd_.back());
  fs::create_directory(odd_.back());
}

void DamagedCopy::put_loop(const std::string& name) {
  odd_.push_back(file(name));
  fs::remove(odd_.back());
  fs::create_symlink(odd_.back(), odd_.back());
}

void DamagedCopy::put_dead_link(const std::string& name) {
  odd_.push_back(file(name));
  fs::remove(odd_.back());
  fs::create_symlink("nothing", odd_.back());
}

fs::path DamagedCopy::add_file(FileType type, const std::string& content) const {
  const fs::path path = root() / relative_path({type, to_hex(sha256(as_bytes(content)))});
  write_file(path, content);
  return path;
}

std::unique_ptr<Repository> DamagedCopy::open() const { return open_repository(root()); }

fs::path DamagedCopy::add_sealed(FileType type, const std::string& json) const {
  return root() / relative_path({type, need(open()->save_unpacked(type, as_bytes(json), soon()))});
}

std::vector<IndexedPack> DamagedCopy::packs_of_index(const std::string& name) const {
  const Bytes json =
      need(open()->load_unpacked({FileType::kIndex, file(name).filename().string()}, soon()));
  std::vector<IndexedPack> packs;
  need(parse_index_file(json, [&](const PackId& pack, std::span<const IndexedBlob> blobs) {
    packs.push_back({pack, {blobs.begin(), blobs.end()}});
  }));
  return packs;
}

void DamagedCopy::rewrite_index(
    const std::string& name, const std::function<void(std::vector<IndexedPack>&)>& change) const {
  std::vector<IndexedPack> packs = packs_of_index(name);
  change(packs);
  add_sealed(FileType::kIndex, write_index_file(packs));
  remove(name);
}

std::string DamagedCopy::in_names(std::string text) const {
  text = place_.in_names(std::move(text));
  replace_all(text, root().string(), "R");
  const std::vector<std::pair<std::regex, std::string>> differing{
      {std::regex("[0-9a-f]{64}"), "ID"},
      {std::regex(R"(\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ )]*)"), "TIME"},
      {std::regex("got [0-9]+, expected [0-9]+"), "got N, expected N"},
      {std::regex("ends at [0-9]+, before byte [0-9]+"), "ends at N, before byte N"},
      {std::regex("header length [0-9]+"), "header length N"},
      // Two packs have it, and either may come first.
      {std::regex("  data small in pack (mixed|later)"), "  data small in pack PACK"},
      {std::regex("repair packs mixed later"), "repair packs later mixed"}};
  for (const auto& [pattern, word] : differing) text = std::regex_replace(text, pattern, word);
  return text;
}

}  // namespace restree::testing
