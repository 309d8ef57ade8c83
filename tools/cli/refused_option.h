// The exception that parsing throws for a refused option (see refuse_option()).
#pragma once

#include <CLI/Error.hpp>
#include <string>

#include "repo/base/result.h"

namespace restree {

class RefusedOption : public CLI::ValidationError {
 public:
  RefusedOption(std::string name, std::string instead);
  const restree::Error& error() const { return error_; }

 private:
  restree::Error error_;
};

}  // namespace restree
