// restree: backs up to restic's repositories and restores from them.
#include <signal.h>

#include <cstdio>
#include <exception>
#include <stop_token>
#include <string>
#include <vector>

#include "program/called_name.h"
#include "program/exit_codes.h"
#include "program/process.h"
#include "repo/base/last_resort.h"
#include "tools/output/io.h"
#include "tools/restree/restree.h"
#include "tools/restree/stop_on_signal.h"

namespace restree {
namespace {

ExitCode run(int argc, char** argv) {
  const std::vector<std::string> call(argv, argv + argc);
  const std::vector<std::string> words(call.empty() ? call.end() : call.begin() + 1, call.end());
  std::stop_source stop;
  const StopOnSignal signals(stop);
  ProcessIo io(stop);
  return run_restree(words, io, stop.get_token(), storage_at, called_name(kProgram));
}

// As a program that a broken pipe ended, which shells know and say nothing about.
void end_as_by_broken_pipe() {
  const SignalSet signals{SIGPIPE};
  signals.unblock();
  ::signal(SIGPIPE, SIG_DFL);
  ::raise(SIGPIPE);
}

}  // namespace
}  // namespace restree

int main(int argc, char** argv) {
  using namespace restree;
  keep_memory_private();
  keep_heaps_few();
  survive_failed_writes();
  raise_limit_of_open_files();
  undo_if_all_else_fails("restree");
  try {
    const ExitCode code = run(argc, argv);
    if (code == ExitCode::kBrokenPipe) end_as_by_broken_pipe();
    return to_int(code);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "Fatal: %s\n", error_of(failure).for_people().c_str());
    return to_int(ExitCode::kFailure);
  }
}
