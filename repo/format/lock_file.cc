#include "repo/format/lock_file.h"

#include "repo/text/json_reader.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

LockPlace read_place(json::Value& value) {
  LockPlace place;
  value.each_field([&](std::string_view key, json::Value field) {
    if (key == "boot_id") place.boot_id = field.to_text();
    if (key == "machine") place.machine = field.to_text();
    if (key == "pid_namespace") place.pid_namespace = field.to_text();
    if (key == "time_namespace") place.time_namespace = field.to_text();
    if (key == "start_ticks") place.start_ticks = field.to_u64();
  });
  return place;
}

void write_place(const LockPlace& place, JsonWriter& writer) {
  writer.begin_object();
  writer.key("boot_id").text(place.boot_id);
  if (!place.machine.empty()) writer.key("machine").text(place.machine);
  writer.key("pid_namespace").text(place.pid_namespace);
  if (!place.time_namespace.empty()) writer.key("time_namespace").text(place.time_namespace);
  writer.key("start_ticks").number(place.start_ticks);
  writer.end_object();
}

}  // namespace

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
      if (key == "restree" && value.token() == "{") lock.place = read_place(value);
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
  if (lock.place) write_place(*lock.place, writer.key("restree"));
  writer.end_object();
  return writer.json();
}

}  // namespace restree
