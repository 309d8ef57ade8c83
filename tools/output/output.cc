#include "tools/output/output.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "repo/base/readable.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

// As restic, so that bars move, and so that a run of half a second has a line.
constexpr std::chrono::milliseconds kUsualInterval{100};
constexpr double kMostPerSecond = 60;

// The value of RESTIC_PROGRESS_FPS; 0 if it is not set.
double wanted_per_second() {
  const char* text = std::getenv("RESTIC_PROGRESS_FPS");
  if (text == nullptr) return 0;
  char* end = nullptr;
  const double number = std::strtod(text, &end);
  const bool is_number = end != text && *end == '\0' && number > 0;
  return is_number ? std::min(number, kMostPerSecond) : 0;
}

}  // namespace

void Output::say(std::string_view line) const {
  if (speaks_from(1)) io_.out_line(line);
}

void Output::detail(std::string_view line) const {
  if (speaks_from(2)) io_.out_line(line);
}

void Output::item(std::string_view line) const {
  if (speaks_from(3)) io_.out_line(line);
}

void Output::say_even_if_quiet(std::string_view line) const {
  if (speaks_from(0)) io_.out_line(line);
}

void Output::say_even_as_json(std::string_view line) const {
  if (!is_quiet()) io_.out_line(line);
}

void Output::note(std::string_view line) const {
  if (speaks_from(1)) io_.err_line(line);
}

void Output::warn(std::string_view line) const { io_.err_line(line); }

void Output::json(std::string_view object) const {
  if (is_json_) io_.out_line(object);
}

void Output::json_error(std::string_view object) const {
  if (is_json_) io_.err_line(object);
}

void Output::item_error(std::string_view during, std::string_view item, const Error& error,
                        std::string_view line) const {
  if (!is_json_) return warn(line);
  JsonWriter writer;
  writer.begin_object().key("message_type").text("error");
  writer.key("error").begin_object().key("message").text(error.message()).end_object();
  writer.key("during").text(during).key("item").text(item).end_object();
  json_error(writer.json());
}

ExitCode Output::exit_error(std::string_view message, ExitCode code) const {
  if (!is_json_) {
    warn(message);
    return code;
  }
  JsonWriter writer;
  writer.begin_object().key("message_type").text("exit_error");
  writer.key("code").number(static_cast<std::uint64_t>(to_int(code)));
  writer.key("message").text(message).end_object();
  json_error(writer.json());
  return code;
}

std::string Output::shown(std::string_view name) const {
  return io_.is_terminal() ? readable(name) : std::string(name);
}

std::chrono::nanoseconds Output::progress_interval() const {
  if (is_quiet() && !is_json_) return std::chrono::nanoseconds(0);
  if (const double per_second = wanted_per_second(); per_second > 0) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
  }
  const bool is_shown = !is_quiet() && (is_json_ || io_.is_terminal());
  return is_shown ? kUsualInterval : std::chrono::nanoseconds(0);
}

}  // namespace restree
