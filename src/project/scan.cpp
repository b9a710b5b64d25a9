#include "project/scan.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <utility>

namespace mxcp::project {
namespace {

class Scanner {
 public:
  explicit Scanner(std::vector<Unreadable>& unreadable) : unreadable_(unreadable) {}

  std::vector<fs::path> take() {
    std::sort(files_.begin(), files_.end());
    return {files_.begin(), files_.end()};
  }

  void scan(const std::string& folder) {
    DIR* const directory = ::opendir(folder.c_str());
    if (!directory) {
      if (errno != ENOENT && errno != ENOTDIR) {
        unreadable_.push_back(
            {folder, std::string("cannot read the folder: ") + std::strerror(errno) + ": skipped",
             ""});
      }
      return;
    }
    struct stat info {};
    if (::fstat(::dirfd(directory), &info) != 0 ||
        !seen_.emplace(info.st_dev, info.st_ino).second) {
      ::closedir(directory);
      return;
    }
    // Real folders before linked ones, so that a link to a sibling does not take over its name.
    std::vector<std::string> folders, links;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name.front() == '.') continue;
      std::string path = folder + '/' + std::string(name);
      unsigned char type = entry->d_type;
      const bool link = type == DT_LNK;
      if (type == DT_LNK || type == DT_UNKNOWN) type = type_of(path);
      if (type == DT_DIR) {
        (link ? links : folders).push_back(std::move(path));
      } else if (!name.ends_with(".yml") && !name.ends_with(".yaml")) {
        continue;
      } else if (type == DT_REG) {
        files_.push_back(std::move(path));
      } else if (link && type == DT_UNKNOWN) {
        unreadable_.push_back(
            {std::move(path), "this link leads to no file: skipped", "mend or remove it"});
      } else {
        unreadable_.push_back({std::move(path), "this is no file that can be read: skipped", ""});
      }
    }
    ::closedir(directory);
    for (auto* group : {&folders, &links}) {
      std::sort(group->begin(), group->end());
      for (const std::string& path : *group) scan(path);
    }
  }

 private:
  static unsigned char type_of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return DT_UNKNOWN;  // a dangling link
    if (S_ISDIR(info.st_mode)) return DT_DIR;
    return S_ISREG(info.st_mode) ? DT_REG : DT_UNKNOWN;
  }

  std::vector<Unreadable>& unreadable_;
  std::vector<std::string> files_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

std::vector<fs::path> find_yaml_files(const fs::path& folder, std::vector<Unreadable>& unreadable) {
  Scanner scanner(unreadable);
  scanner.scan(folder.string());
  return scanner.take();
}

}  // namespace mxcp::project
