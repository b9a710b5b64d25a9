// The questions of user code to the client, and the answers that come back.
//
// In 2026-07-28 a server asks in its result: the client gathers the answers and sends the same
// request again, with them. In between nothing is kept here. What was answered in earlier rounds
// travels in `requestState`, sealed, bound to the very request and caller, and good for a limited
// time. (A number is kept, so that a round does not count as another call.) The code runs from its
// beginning each time, and finds its questions answered one after the other.
#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "mcp/exchange.h"
#include "mcp/questions.h"

namespace mxcp::mcp {
namespace {

// The same text for the same request, in whatever order its members come.
std::string identity_of(const std::string& method, const Object& params, const Caller& caller) {
  std::string out = method;
  for (const std::string_view key : {"name", "uri"}) {
    if (const Value* const value = params.find(key)) out += '\n' + to_json(*value);
  }
  if (const Value* const arguments = params.find("arguments");
      arguments != nullptr && arguments->is_object()) {
    std::vector<std::string> members;
    for (const auto& [key, value] : *arguments->as_object()) {
      members.push_back(to_json(key) + ':' + to_json(value));
    }
    std::sort(members.begin(), members.end());
    for (const std::string& member : members) out += '\n' + member;
  }
  if (caller.user) out += '\n' + to_json(caller.user->provider) + to_json(caller.user->user_id);
  return out;
}

RpcError bad_state() {
  return {kInvalidParams,
          "'requestState' is not what this server gave out for this request, or it is "
          "too old; send the request without it to begin again"};
}

}  // namespace

Object Exchange::capabilities() const {
  return meta_.capabilities != nullptr ? *meta_.capabilities : Object();
}

std::optional<RpcError> Exchange::read_input() {
  if (!meta_.revision->stateless) return {};
  const Value* const state = params_.find("requestState");
  const Value* const responses = params_.find("inputResponses");
  const bool may_ask = meta_.capabilities != nullptr;
  if (state == nullptr && responses == nullptr && !may_ask) return {};
  bound_ = identity_of(method_, params_, caller_);

  if (state != nullptr && !state->is_null()) {
    const auto& sealer = setup_->options.sealer;
    if (!state->is_string() || sealer == nullptr) return bad_state();
    const auto opened = sealer->open(*state->as_string(), bound_);
    if (!opened) return bad_state();
    auto known = parse_json(*opened);
    const Value* const until = known.ok() ? known->find("until") : nullptr;
    const Value* const answers = known.ok() ? known->find("answers") : nullptr;
    if (until == nullptr || until->as_int() == nullptr || answers == nullptr ||
        !answers->is_object() || *until->as_int() < setup_->options.clock->unix_micros()) {
      return bad_state();
    }
    answers_ = *answers->as_object();
    if (const Value* const round = known->find("round")) goes_on_ = is_next(*round, responses);
  }
  if (responses != nullptr && !responses->is_null()) {
    if (!responses->is_object()) {
      return RpcError{kInvalidParams, "'inputResponses' must be an object, got " +
                                          std::string(responses->kind_name())};
    }
    for (const auto& [key, value] : *responses->as_object()) answers_.set(key, value);
  }
  return {};
}

// Whether `round` of a state was begun here and did not come yet, and something that it asked for
// is among the responses. Who only comes again and again calls each time.
bool Exchange::is_next(const Value& round, const Value* responses) {
  const Value* const id = round.find("id");
  const Value* const number = round.find("number");
  const Value* const asked = round.find("asked");
  if (id == nullptr || !id->is_string() || number == nullptr || number->as_int() == nullptr ||
      asked == nullptr || !asked->is_array()) {
    return false;
  }
  round_ = *number->as_int();
  if (!setup_->rounds().take(*id->as_string()) || round_ > OpenRounds::kPerCall) return false;
  const Object* const given = responses == nullptr ? nullptr : responses->as_object();
  return given != nullptr &&
         std::any_of(asked->as_array()->begin(), asked->as_array()->end(), [&](const Value& key) {
           return key.is_string() && given->contains(*key.as_string());
         });
}

void Exchange::ask(std::vector<Question> questions, std::function<void(Result<Object>)> done) {
  if (questions.empty()) return done(Object());
  Object missing = missing_capabilities(questions, meta_.capabilities.get());
  if (!missing.empty()) {
    const std::string names = to_json(missing);
    if (meta_.revision->stateless) {
      fail(missing_capability(std::move(missing)));
      cancel_->cancel();
      return done(Error{Code::kCancelled, "the client cannot be asked"});
    }
    return done(
        Error{Code::kUnavailable, "the client cannot be asked: it does not declare " + names});
  }
  if (!meta_.revision->stateless) {
    const auto owner = owner_.lock();
    if (owner == nullptr) {
      return done(Error{Code::kUnavailable, "the client cannot be asked without a session"});
    }
    open_questions_->fetch_add(1);
    return owner->ask(*this, std::move(questions),
                      [open = open_questions_, done = std::move(done)](Result<Object> answers) {
                        open->fetch_sub(1);
                        done(std::move(answers));
                      });
  }

  Object known;
  std::vector<Question> open;
  {
    const std::lock_guard lock(mutex_);
    for (Question& question : questions) {
      std::string key = keys_.next(question.key);
      const Value* const answer = answers_.find(key);
      if (answer != nullptr && is_answer(question, *answer)) {
        known.set(std::move(question.key), *answer);
      } else {
        question.key = std::move(key);
        open.push_back(std::move(question));
      }
    }
  }
  if (open.empty()) return done(std::move(known));
  ask_in_result(open);
  cancel_->cancel();
  done(Error{Code::kCancelled, "the client is asked; the call goes on when it answers"});
}

void Exchange::ask_in_result(const std::vector<Question>& questions) {
  Object requests;
  for (const Question& question : questions) {
    requests.set(question.key, stateless_request(question));
  }
  Reply reply(*this, 512, "input_required");
  append_json(reply.member("inputRequests"), requests);
  if (const auto& sealer = setup_->options.sealer) {
    const std::int64_t until = setup_->options.clock->unix_micros() +
                               std::chrono::microseconds(setup_->options.answer_time).count();
    Array keys;
    for (const Question& question : questions) keys.push_back(question.key);
    const Object round{
        {"id", setup_->rounds().begin()}, {"number", round_ + 1}, {"asked", std::move(keys)}};
    const Object state{{"until", until}, {"answers", answers_}, {"round", round}};
    append_json_string(reply.member("requestState"), sealer->seal(to_json(state), bound_));
  }
  answer(std::move(reply));
}

void Exchange::elicitation_complete(const std::string& id) {
  if (meta_.revision->stateless || meta_.capabilities == nullptr) return;
  const Value* const modes = meta_.capabilities->find("elicitation");
  if (modes == nullptr || modes->find("url") == nullptr) return;
  notify("notifications/elicitation/complete", to_json(Object{{"elicitationId", id}}));
}

bool Exchange::send_request(std::string message) {
  const std::lock_guard lock(mutex_);
  if (!is_open()) return false;
  peer_->send(std::move(message));
  return true;
}

bool Exchange::can_send_requests() {
  const std::lock_guard lock(mutex_);
  return !is_open() || peer_->can_send();
}

}  // namespace mxcp::mcp
