#include "tools/output/exit_error.h"

#include "repo/format/json_writer.h"

namespace restree {

ExitCode print_exit_error(std::string_view message, ExitCode code, bool json, Io& io) {
  if (!json) {
    io.err_line(message);
    return code;
  }
  JsonWriter writer;
  writer.begin_object().key("message_type").text("exit_error");
  writer.key("code").number(static_cast<std::uint64_t>(to_int(code)));
  writer.key("message").text(message).end_object();
  io.err_line(writer.json());
  return code;
}

}  // namespace restree
