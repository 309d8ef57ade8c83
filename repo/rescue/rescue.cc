#include "repo/rescue/rescue.h"

#include <cstdint>
#include <utility>

#include "repo/crypto/seal.h"
#include "repo/format/key.h"
#include "repo/rescue/witness.h"
#include "repo/storage/memory_storage.h"

namespace restree {
namespace {

const FileName kConfigFile{FileType::kConfig, ""};

Result<bool> has_key(Storage& storage, const std::string& name, Deadline by) {
  const Result<std::uint64_t> size = storage.size({FileType::kKey, name}, by);
  if (size) return true;
  if (size.error().kind() == ErrorKind::kNotFound) return false;
  return size.error();
}

Status write_config_file(Storage& storage, ByteView sealed, Deadline by) {
  Status written = storage.write(kConfigFile, sealed, by);
  if (!written) return std::move(written).error().with("the config could not be put back");
  return {};
}

}  // namespace

Result<RescueFile> export_rescue_file(Repository& repository, const Secret& password,
                                      const NewKey& wanted, Deadline by) {
  MemoryStorage memory;
  ASSIGN_OR_RETURN(const StoredKey key, repository.add_key_in(memory, password, wanted, by));
  RescueFile file{.repository = repository.config().id.hex(), .key_file = {}, .config_file = {}};
  ASSIGN_OR_RETURN(file.key_file, memory.read_all({FileType::kKey, key.name}, by));
  const std::string config = write_config(repository.config());
  file.config_file = Bytes(config.size() + kSealOverheadBytes);
  RETURN_IF_ERROR(repository.seal_into(as_bytes(config), file.config_file.view()));
  ASSIGN_OR_RETURN(const KeyFile stored, parse_key_file(file.key_file));
  ASSIGN_OR_RETURN(const SealKey master, open_key_file(stored, password));
  if (!opens(master, file.config_file)) {
    return Error(ErrorKind::kCorrupt, "the rescue key does not open what it was made for")
        .hinting("Run the command again; if that fails too, the machine's memory may be bad.");
  }
  return file;
}

Result<Secret> export_paper_key(const Repository& repository) {
  const Secret json = repository.master_key_json();
  ASSIGN_OR_RETURN(const SealKey master, parse_master_key(json.view()));
  return write_paper_key(repository.config(), master);
}

Result<PutBackFiles> put_back(Storage& storage, const RescueFile& file, const Secret& password,
                              Deadline by) {
  ASSIGN_OR_RETURN(const KeyFile key, parse_key_file(file.key_file));
  ASSIGN_OR_RETURN(const SealKey master, open_key_file(key, password));
  PutBackFiles done{.key_name = key_name_of(file)};
  ASSIGN_OR_RETURN(done.config, lacks_config(storage, master, by));
  ASSIGN_OR_RETURN(const bool is_there, has_key(storage, done.key_name, by));
  done.key = !is_there;
  RETURN_IF_ERROR(storage.make_folders(by));
  if (done.key) {
    RETURN_IF_ERROR(storage.write({FileType::kKey, done.key_name}, file.key_file, by));
  }
  if (done.config) RETURN_IF_ERROR(write_config_file(storage, file.config_file, by));
  return done;
}

Result<PutBackFiles> put_back(Storage& storage, const PaperKey& paper, const Secret& new_password,
                              const NewKey& wanted, Deadline by) {
  PutBackFiles done;
  ASSIGN_OR_RETURN(done.config, lacks_config(storage, paper.master, by));
  RETURN_IF_ERROR(storage.make_folders(by));
  ASSIGN_OR_RETURN(const StoredKey key,
                   store_tried_key(storage, paper.master, new_password, wanted, by));
  done.key_name = key.name;
  done.key = true;
  if (!done.config) return done;
  ASSIGN_OR_RETURN(const Bytes config, seal(paper.master, as_bytes(write_config(paper.config))));
  RETURN_IF_ERROR(write_config_file(storage, config, by));
  return done;
}

}  // namespace restree
