#include "repo/format/lock_file.h"

#include "repo/format/json_reader.h"
#include "repo/format/json_writer.h"

namespace restree {

Result<LockFile> parse_lock_file(ByteView json) {
  LockFile lock;
  bool has_time = false;
  RETURN_IF_ERROR(json::read_json(json, "lock", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key == "time") {
        const auto time = parse_timestamp(value.to_text());
        if (!time) throw json::BadJson("not a time");
        lock.time = *time;
        has_time = true;
      }
      if (key == "exclusive") lock.exclusive = value.token() == "true";
      if (key == "hostname") lock.hostname = value.to_text();
      if (key == "username") lock.username = value.to_text();
      if (key == "pid") lock.pid = value.to_u32();
      if (key == "uid") lock.uid = value.to_u32();
      if (key == "gid") lock.gid = value.to_u32();
    });
  }));
  if (!has_time) return Error(ErrorKind::kCorrupt, "lock: no time");
  return lock;
}

std::string write_lock_file(const LockFile& lock) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("time").text(format_timestamp(lock.time));
  writer.key("exclusive").boolean(lock.exclusive);
  writer.key("hostname").text(lock.hostname);
  writer.key("username").text(lock.username);
  writer.key("pid").number(lock.pid);
  if (lock.uid != 0) writer.key("uid").number(lock.uid);
  if (lock.gid != 0) writer.key("gid").number(lock.gid);
  writer.end_object();
  return writer.json();
}

}  // namespace restree
