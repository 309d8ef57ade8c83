#include "repo/config_upgrade.h"

#include <fmt/core.h>

#include <utility>

#include "repo/base/log.h"
#include "repo/crypto/seal.h"
#include "repo/format/config.h"
#include "repo/storage/private_file.h"

namespace restree {
namespace {

const FileName kConfigFile{FileType::kConfig, ""};

// The upgraded config, sealed; `old` is the config file as it is now.
Result<Bytes> upgraded(const Repository& repository, ByteView old) {
  Bytes copy = Bytes::copy_of(old);
  ASSIGN_OR_RETURN(const MutableByteView json, repository.open_sealed(copy.view()));
  ASSIGN_OR_RETURN(Config config, parse_config(json));
  if (config.version != 1) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("repository has version {}, only upgrades from version 1 are "
                             "supported",
                             config.version));
  }
  config.version = 2;
  const std::string upgraded_json = write_config(config);
  Bytes sealed(upgraded_json.size() + kSealOverheadBytes);
  RETURN_IF_ERROR(repository.seal_into(as_bytes(upgraded_json), sealed.view()));
  return sealed;
}

// Whether the repository's config file has these bytes.
Result<bool> has_config(Storage& storage, ByteView wanted, Deadline by) {
  const Result<Bytes> found = storage.read_all(kConfigFile, by);
  if (!found && found.error().kind() != ErrorKind::kNotFound) return found.error();
  return found && as_text(*found) == as_text(wanted);
}

// Writes the config file and reads it back.
Status replace_config(Storage& storage, ByteView content, Deadline by) {
  const Status written = storage.write(kConfigFile, content, by);
  // Even if that failed, it may be there: the answer may have been lost.
  const Result<bool> is_there = has_config(storage, content, by);
  if (is_there && *is_there) return {};
  RETURN_IF_ERROR(written);
  RETURN_IF_ERROR(is_there);
  return Error(ErrorKind::kCorrupt, "the config file has other bytes than were written");
}

// After the new config could not be stored: makes sure that the old one is there.
Error put_back(Storage& storage, ByteView old, const std::string& kept, Error why, Deadline by) {
  const Result<bool> is_there = has_config(storage, old, by);
  const Status there = is_there && *is_there ? Status() : replace_config(storage, old, by);
  if (there) {
    if (const Status removed = remove_private_file(kept); !removed) {
      log::warning("{}", removed.error().message());
    }
    return std::move(why)
        .with("the new config file could not be saved")
        .hinting("The repository has its old config, and is as it was.");
  }
  return Error(why.kind(),
               fmt::format("the new config file could not be saved ({}), and whether the old one "
                           "is there is not certain ({}), but there is a copy of the old one in {}",
                           why.message(), there.error().message(), kept))
      .hinting(fmt::format("If {} cannot be opened any more, copy that file to its `config`.",
                           storage.description()));
}

}  // namespace

Status upgrade_config(Repository& repository, const std::string& kept, Deadline by) {
  Storage& storage = repository.storage();
  ASSIGN_OR_RETURN(const Bytes old, storage.read_all(kConfigFile, by));
  ASSIGN_OR_RETURN(const Bytes sealed, upgraded(repository, old));
  if (Status copied = write_private_file(kept, old); !copied) {
    return std::move(copied)
        .error()
        .with("keep a copy of the config")
        .hinting("Nothing was changed. XDG_STATE_HOME may name another folder for it.");
  }
  if (Status replaced = replace_config(storage, sealed, by); !replaced) {
    return put_back(storage, old, kept, std::move(replaced).error(), by);
  }
  if (const Status removed = remove_private_file(kept); !removed) {
    log::warning("a copy of the old config stays: {}", removed.error().message());
  }
  return {};
}

}  // namespace restree
