// Findings: what is wrong with a project that is about to be served, and what follows from it.
//
// Normally anything that is wrong keeps a project from being served. A server that was started in
// spite of problems (--ignore-errors) leaves broken endpoints out instead, but only those that it
// does not serve now: what works is never exchanged for something broken.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "project/project.h"
#include "runtime/user_code.h"

namespace mxcp::runtime {

struct Problem {
  Error error;
  std::string path;  // of the endpoint's file as it is displayed; "" when it is no endpoint's
};

class Findings {
 public:
  void add(Error error, std::string path = {});
  void add(std::vector<Problem> problems);
  // Those of the files themselves, and files that described an endpoint of `served` and are none
  // now: half saved, most likely.
  void add_files(const project::Project& project, const project::Project& served);
  // `errors` are what load() or stage() returned for the project.
  void add_code(const project::Project& project, std::vector<Error> errors, const UserCode& code);

  bool empty() const { return problems_.empty(); }
  std::vector<Error> errors() const;
  // Without endpoints that have a problem.
  std::shared_ptr<const project::Project> usable(
      std::shared_ptr<const project::Project> project) const;

  // What keeps the project from taking the place of `served`.
  std::vector<Error> refusing(const project::Project& served, bool leave_out,
                              const std::set<std::string>& accepted) const;
  // Texts of problems that no endpoint has, for `accepted`.
  std::set<std::string> general() const;

 private:
  // Those of what is served now, and new ones that no endpoint has.
  std::vector<Error> refusing_served(const project::Project& served,
                                     const std::set<std::string>& accepted) const;

  std::vector<Problem> problems_;
};

}  // namespace mxcp::runtime
