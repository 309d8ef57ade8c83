// restree problems
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/base/readable.h"
#include "repo/pattern/text_file.h"
#include "repo/system/hanging_calls.h"
#include "repo/system/mounts.h"
#include "repo/text/json_reader.h"
#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

constexpr std::string_view kMountType = "fuse.restreefs";
// A mount answers from memory. One whose process is stopped never does.
constexpr std::chrono::seconds kPatience{10};

struct ListedProblem {
  std::string app;
  std::string snapshot;
  std::string path;
  std::string what;
  std::string last;
};

// What one mount has told.
struct MountProblems {
  std::uint64_t count = 0;
  std::uint64_t not_listed = 0;
  std::vector<ListedProblem> listed;
};

Status read_line(std::string_view line, MountProblems& into) {
  ListedProblem problem;
  std::string type;
  RETURN_IF_ERROR(json::read_json(as_bytes(line), "problems", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key == "message_type") type = value.to_text();
      if (key == "problems") into.count = value.to_u64();
      if (key == "not_listed") into.not_listed = value.to_u64();
      if (key == "app") problem.app = value.to_text();
      if (key == "snapshot") problem.snapshot = value.to_text();
      if (key == "path") problem.path = value.to_text();
      if (key == "problem") problem.what = value.to_text();
      if (key == "last") problem.last = value.to_text();
    });
  }));
  if (type == "problem") into.listed.push_back(std::move(problem));
  return {};
}

Result<MountProblems> parse(std::string_view text) {
  MountProblems problems;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    RETURN_IF_ERROR(read_line(text.substr(0, end + 1), problems));
    text.remove_prefix(end + 1);
  }
  return problems;
}

// Whatever asks a mount may hang.
template <class Answer>
Result<Answer> ask(const std::string& mount, Session& session,
                   std::function<Result<Answer>()> question) {
  HangingCalls calls(1);
  const auto call = calls.begin<Result<Answer>>(std::move(question));
  if (call->is_done_by(Deadline::after(kPatience), session.stop())) return call->answer();
  if (session.stop().stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
  return Error(ErrorKind::kUnavailable,
               fmt::format("{} has not answered within {} seconds: is its restreefs stopped?",
                           log::quoted(mount), kPatience.count()));
}

// Where a repository is mounted, as the list of mounts names it.
Result<std::string> mount_point(const std::string& name, Session& session) {
  ASSIGN_OR_RETURN(const std::string point,
                   ask<std::string>(name, session, [name]() -> Result<std::string> {
                     std::error_code failure;
                     const auto path = std::filesystem::canonical(name, failure);
                     if (failure) return errno_error(failure.value(), "open " + name);
                     return path.string();
                   }));
  if (const auto entry = mount_on(point); entry && entry->type == kMountType) return point;
  return Error(ErrorKind::kInvalid,
               fmt::format("{} is not where restreefs has mounted a repository; "
                           "`findmnt -t {}` lists those places",
                           log::quoted(name), kMountType));
}

// Those that were named, or all that this process sees.
Result<std::vector<std::string>> mount_points(const std::vector<std::string>& named,
                                              Session& session) {
  std::vector<std::string> points;
  for (const std::string& name : named) {
    ASSIGN_OR_RETURN(points.emplace_back(), mount_point(name, session));
  }
  if (!named.empty()) return points;
  for (const MountEntry& entry : all_mounts()) {
    if (entry.type == kMountType) points.push_back(entry.point);
  }
  return points;
}

std::string place_of(const ListedProblem& problem) {
  if (problem.app.empty()) return readable(problem.path);
  return fmt::format("{}, snapshot {}, {}", readable(problem.app), readable(problem.snapshot),
                     readable(problem.path));
}

void print(const std::string& mount, const MountProblems& problems, const Output& output) {
  if (problems.count == 0) {
    output.say(fmt::format("{}: nothing that was read was damaged", readable(mount)));
    return;
  }
  output.io().out_line(fmt::format("{}: {} {}", readable(mount), problems.count,
                                   problems.count == 1 ? "problem" : "problems"));
  for (const ListedProblem& problem : problems.listed) {
    output.io().out_line(
        fmt::format("  {}: {} (last met {})", place_of(problem), problem.what, problem.last));
  }
  if (problems.not_listed > 0) {
    output.io().out_line(fmt::format("  and {} more, which are not listed", problems.not_listed));
  }
}

// Says what a mount has found, and returns how much that is.
Result<std::uint64_t> tell(const std::string& mount, Session& session) {
  ASSIGN_OR_RETURN(const std::string text, ask<std::string>(mount, session, [mount] {
                     return read_whole_file(mount + "/.restree/problems");
                   }));
  ASSIGN_OR_RETURN(const MountProblems problems, parse(text));
  if (!session.output().is_json()) {
    print(mount, problems, session.output());
    return problems.count;
  }
  JsonWriter json;
  json.begin_object().key("message_type").text("mount").key("mount").text(mount).end_object();
  session.output().json(json.json());
  session.io().out(text);
  return problems.count;
}

// A mount that does not answer hides no other.
Result<ExitCode> run(const std::vector<std::string>& named, Session& session) {
  const Output& output = session.output();
  ASSIGN_OR_RETURN(const std::vector<std::string> points, mount_points(named, session));
  if (points.empty()) output.say("no repository is mounted here");
  std::uint64_t count = 0;
  std::uint64_t unknown = 0;
  for (const std::string& point : points) {
    const Result<std::uint64_t> told = tell(point, session);
    if (told) {
      count += *told;
      continue;
    }
    if (told.error().kind() == ErrorKind::kCancelled) return told.error();
    ++unknown;
    output.warn(told.error().message());
  }
  if (count > 0) {
    output.note(
        "`restree check --read-data` finds all that is damaged, `restree repair --plan` says what "
        "to "
        "do");
  }
  if (unknown > 0) {
    return output.exit_error(
        fmt::format("{} of {} mounts could not be asked", unknown, points.size()),
        ExitCode::kFailure);
  }
  return count > 0 ? ExitCode::kIncomplete : ExitCode::kSuccess;
}

}  // namespace

Run declare_problems(CommandSyntax& app) {
  const auto named = std::make_shared<std::vector<std::string>>();
  add_arguments(app, "mountpoint", *named,
                "Where a repository is mounted (default: all mounts that are seen from here)");
  return [named](Session& session) { return run(*named, session); };
}

}  // namespace restree
