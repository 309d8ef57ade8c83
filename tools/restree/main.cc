// restree: backs up to restic's repositories and restores from them.
#include <stop_token>
#include <string>
#include <vector>

#include "program/exit_codes.h"
#include "program/process.h"
#include "tools/output/io.h"
#include "tools/restree/restree.h"
#include "tools/restree/stop_on_signal.h"

int main(int argc, char** argv) {
  using namespace restree;
  keep_memory_private();
  keep_heaps_few();
  std::stop_source stop;
  const StopOnSignal signals(stop);
  ProcessIo io(stop);
  return to_int(run_restree(std::vector<std::string>(argv + 1, argv + argc), io, stop.get_token()));
}
