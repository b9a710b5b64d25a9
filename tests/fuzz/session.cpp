// Any lines as a client's messages over stdio.
#include "protocol.h"

using namespace mxcp;

namespace {

class CheckingPeer final : public mcp::Peer {
 public:
  void send(std::string message) override { fuzz::report({true, fuzz::wrong_in(message)}); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::EchoBackend backend;
  static mcp::Server server(fuzz::server_options(), backend);
  const auto session = server.open_session(std::make_shared<CheckingPeer>(),
                                           Caller{.transport = "stdio", .user = {}, .headers = {}});
  std::string_view left = fuzz::text_of(data, size);
  while (!left.empty()) {
    const std::size_t end = left.find('\n');
    server.receive(session, left.substr(0, end));
    left = end == std::string_view::npos ? "" : left.substr(end + 1);
  }
  server.close(session);
  return 0;
}
