// The program restree, run inside the test's own process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "program/exit_codes.h"
#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "tests/support/password.h"
#include "tests/support/temp_dir.h"
#include "tools/output/io.h"
#include "tools/restree/restree.h"

namespace restree::testing {

// Keeps what is printed. Threads: one.
class KeptIo final : public Io {
 public:
  void out(std::string_view text) override { out_ += text; }
  void bytes(std::string_view content) override { out_ += content; }
  void err(std::string_view text) override { err_ += text; }
  bool is_terminal() const override { return is_terminal_; }
  std::size_t width() const override { return 80; }
  void status(std::string_view line) override { status_ = line; }
  Status flush() override { return {}; }
  bool reader_has_gone() const override { return false; }
  void go_on_without_output() override {}

  void be_a_terminal() { is_terminal_ = true; }
  const std::string& printed() const { return out_; }
  const std::string& complaints() const { return err_; }
  const std::string& status_line() const { return status_; }

 private:
  bool is_terminal_ = false;
  std::string out_;
  std::string err_;
  std::string status_;
};

struct Outcome {
  ExitCode code;
  std::string out;
  std::string err;
};

// Runs commands on one storage, whatever location they name, unless another one was put at that
// location; the password is kPassword unless their words say otherwise. What the program keeps on
// its machine lies in folder().
class RestreeRunner {
 public:
  explicit RestreeRunner(std::shared_ptr<Storage> storage) : storage_(std::move(storage)) {
    write_file(folder_.path() / "password", kPassword);
    environment_.set("XDG_STATE_HOME", (folder_.path() / "state").string());
  }

  Outcome run(std::vector<std::string> words) const {
    const std::string file = (folder_.path() / "password").string();
    words.insert(words.begin(), {"-r", "memory", "--password-file", file});
    return run_bare(words);
  }
  // Without a word but these. `program`: the name that it is called by.
  Outcome run_bare(const std::vector<std::string>& words,
                   const std::string& program = std::string(kProgram)) const {
    KeptIo io;
    const StorageMaker maker = [this](const std::string& location,
                                      const auto&...) -> Result<std::shared_ptr<Storage>> {
      const auto other = others_.find(location);
      return other == others_.end() ? storage_ : other->second;
    };
    const ExitCode code = run_restree(words, io, stop_.get_token(), maker, program);
    return {code, io.printed(), io.complaints()};
  }

  void put(const std::string& location, std::shared_ptr<Storage> storage) {
    others_[location] = std::move(storage);
  }
  // As a signal would.
  void stop() { stop_.request_stop(); }
  // A folder that lives as long as this.
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TempDir folder_;
  Environment environment_;
  std::shared_ptr<Storage> storage_;
  std::map<std::string, std::shared_ptr<Storage>> others_;
  std::stop_source stop_;
};

}  // namespace restree::testing
