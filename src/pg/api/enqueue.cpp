// enqueue_agent() and enqueue_agents(). Both only INSERT: admission, which a plain INSERT passes too, does the rest.
// Regime: guarded C++. Tested in sql/enqueue.sql, sql/enqueue_bulk.sql and sql/idempotency.sql.
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "pg/api/admission.hpp"
#include "pg/api/caller.hpp"
#include "pg/api/enqueue.hpp"
#include "pg/api/enqueue_sql.hpp"
#include "pg/api/enqueue_terms.hpp"
#include "pg/api/rate_admission.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/spi.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kAgentTypeParameter = 1;
constexpr int kRequestParameter = 2;
constexpr int kMaxRetriesParameter = 8;
constexpr int kKeyParameter = 9;

// With a key: a job that is in the way may be deleted before it is looked at, so it is tried again, but not for ever.
constexpr int kTriesMax = 5;

SchemaPlan make_enqueue_plan(sql::Jobs jobs, sql::Retries retries, sql::Key key) {
  const Oid requests = jobs == sql::Jobs::one ? JSONBOID : JSONBARRAYOID;
  return SchemaPlan(sql::enqueue(jobs, retries, key),
                    {TEXTOID, requests, UUIDOID, INT4OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, TEXTOID});
}

struct EnqueuePlans {
  explicit EnqueuePlans(sql::Jobs jobs)
      : plain(make_enqueue_plan(jobs, sql::Retries::of_the_type, sql::Key::none)),
        with_key(make_enqueue_plan(jobs, sql::Retries::of_the_type, sql::Key::given)),
        with_retries(make_enqueue_plan(jobs, sql::Retries::given, sql::Key::none)),
        with_both(make_enqueue_plan(jobs, sql::Retries::given, sql::Key::given)),
        same_of_user(same_plan(jobs, sql::Whose::users)),
        same_of_system(same_plan(jobs, sql::Whose::systems)) {}

  static SchemaPlan same_plan(sql::Jobs jobs, sql::Whose whose) {
    if (jobs == sql::Jobs::one) return SchemaPlan(sql::find_same(whose), {UUIDOID, TEXTOID, TEXTOID, JSONBOID});
    return SchemaPlan(sql::find_same_of_many(whose), {UUIDOID, TEXTOID, TEXTOID, JSONBARRAYOID});
  }

  SchemaPlan &fitting(const EnqueueTerms &terms) {
    if (terms.has(kKeyParameter)) return terms.has(kMaxRetriesParameter) ? with_both : with_key;
    return terms.has(kMaxRetriesParameter) ? with_retries : plain;
  }

  SchemaPlan plain;
  SchemaPlan with_key;
  SchemaPlan with_retries;
  SchemaPlan with_both;
  SchemaPlan same_of_user;
  SchemaPlan same_of_system;
};

EnqueuePlans &plans_of(sql::Jobs jobs) {
  static auto *one = new EnqueuePlans(sql::Jobs::one);  // never destroyed: plans die with the process
  static auto *many = new EnqueuePlans(sql::Jobs::many);
  return jobs == sql::Jobs::one ? *one : *many;
}

std::uint64_t insert_jobs(EnqueueTerms &terms, sql::Jobs jobs, const Installation &where) {
  return plans_of(jobs).fitting(terms).at(where).run(terms.values, terms.nulls, KeptPlan::Mode::read_write);
}

// The jobs that have the keys already: rows (id, same agent type?, same request?) in SPI_tuptable.
std::uint64_t find_same(const EnqueueTerms &terms, sql::Jobs jobs, const Installation &where) {
  const std::optional<UserId> user = resolve_user(terms.user, where);
  Datum values[] = {user ? uuid_datum(*user) : 0, terms.value(kKeyParameter), terms.value(kAgentTypeParameter),
                    terms.value(kRequestParameter)};
  const char nulls[] = {user ? ' ' : 'n', ' ', ' ', ' '};
  EnqueuePlans &plans = plans_of(jobs);
  // Read-write, for a snapshot that sees the row that was in the way.
  return (user ? plans.same_of_user : plans.same_of_system).at(where).run(values, nulls, KeptPlan::Mode::read_write);
}

struct SameJob {
  std::int64_t id;
  bool exists;
  bool has_same_type;
  bool has_same_request;

  bool fits() const { return exists && has_same_type && has_same_request; }
};

// POD only.
SameJob read_same(std::uint64_t row) {
  const HeapTuple tuple = SPI_tuptable->vals[row];
  const TupleDesc description = SPI_tuptable->tupdesc;
  bool is_null = false;
  SameJob same = {};
  same.id = DatumGetInt64(SPI_getbinval(tuple, description, 1, &is_null));
  same.exists = !is_null;
  same.has_same_type = DatumGetBool(SPI_getbinval(tuple, description, 2, &is_null));
  same.has_same_request = DatumGetBool(SPI_getbinval(tuple, description, 3, &is_null));
  return same;
}

std::int64_t read_id(std::uint64_t row) {
  return guard([&] {
    bool is_null = false;
    return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null));
  });
}

AdmissionCall::Cache cache_use(const EnqueueTerms &terms) {
  return terms.skips_cache ? AdmissionCall::Cache::skipped : AdmissionCall::Cache::used;
}

std::string text_of(Datum datum) {
  const char *bytes = guard([&] { return TextDatumGetCString(datum); });
  return bytes;
}

[[noreturn]] void refuse_key(const std::string &key, const SameJob &same) {
  std::string differs = same.has_same_type ? "" : "agent_type";
  if (!same.has_same_request) differs += differs.empty() ? "request_data" : " and request_data";
  raise(sqlstate("23505"), {.message = "idempotency key \"" + key + "\" belongs to another job",
                            .detail = "Job " + std::to_string(same.id) + " has another " + differs + ".",
                            .hint = "The same key means the same job: use a new key for a new job."});
}

IdempotencyKey key_of(const EnqueueTerms &terms) {
  return terms.has(kKeyParameter) ? IdempotencyKey::given : IdempotencyKey::none;
}

// A key is the only thing that may keep a job out, but for a trigger of the user's.
void need_key(const EnqueueTerms &terms) {
  if (!terms.has(kKeyParameter))
    raise(sqlstate("55000"), {.message = "a trigger on agent_queue kept a job out",
                              .detail = "No job was enqueued.",
                              .hint = "Let the trigger return NEW, or raise an error."});
}

[[noreturn]] void refuse_race(const std::string &key) {
  raise(sqlstate("40001"), {.message = "jobs with idempotency key \"" + key + "\" come and go too fast",
                            .detail = {},
                            .hint = "Try again."});
}

}  // namespace

namespace {

// The job that has the key already, before anything is counted or charged for it: nothing was asked for then.
std::optional<std::int64_t> find_known(const EnqueueTerms &terms, const Installation &where) {
  if (!terms.has(kKeyParameter) || find_same(terms, sql::Jobs::one, where) == 0) return std::nullopt;
  const SameJob same = guard([] { return read_same(0); });
  if (!same.fits()) refuse_key(text_of(terms.value(kKeyParameter)), same);
  return same.id;
}

}  // namespace

std::uintptr_t enqueue_one(EnqueueTerms &terms) {
  const Installation &where = installation();
  RateCharge charge(1, key_of(terms));
  SpiScope spi;
  if (const std::optional<std::int64_t> known = find_known(terms, where)) return Int64GetDatum(*known);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    AdmissionCall call(terms.now, cache_use(terms));
    if (insert_jobs(terms, sql::Jobs::one, where) == 1) {
      const std::int64_t id = read_id(0);
      if (!call.hits().empty()) write_hits(call.hits(), {id});
      return Int64GetDatum(id);
    }
    need_key(terms);
    if (find_same(terms, sql::Jobs::one, where) == 0) {
      charge.raise_refusal();
      continue;
    }
    const SameJob same = guard([] { return read_same(0); });
    if (!same.fits()) refuse_key(text_of(terms.value(kKeyParameter)), same);
    charge.keep(0);
    return Int64GetDatum(same.id);
  }
  refuse_race(text_of(terms.value(kKeyParameter)));
}

namespace {

// While it lives, an error says which request of the array it is about.
class RequestNumberContext {
 public:
  explicit RequestNumberContext(const AdmissionCall &call) : here_{error_context_stack, say, this}, call_(call) {
    error_context_stack = &here_;
  }
  ~RequestNumberContext() { error_context_stack = here_.previous; }
  RequestNumberContext(const RequestNumberContext &) = delete;
  RequestNumberContext &operator=(const RequestNumberContext &) = delete;

 private:
  static void say(void *self) {
    const auto number = static_cast<const RequestNumberContext *>(self)->call_.jobs_seen();
    if (number > 0) errcontext("request number " INT64_FORMAT " of enqueue_agents()", number);
  }

  ErrorContextCallback here_;
  const AdmissionCall &call_;
};

// POD only. 0: there is none.
int first_null(Datum array) {
  const ArrayType *requests = DatumGetArrayTypeP(array);
  const bits8 *bitmap = ARR_NULLBITMAP(requests);
  const int count = ArrayGetNItems(ARR_NDIM(requests), ARR_DIMS(requests));
  for (int i = 0; bitmap != nullptr && i < count; ++i)
    if ((bitmap[i / 8] & (1 << (i % 8))) == 0) return i + 1;
  return 0;
}

int count_requests(Datum array) {
  return guard([&] {
    const ArrayType *requests = DatumGetArrayTypeP(array);
    return ArrayGetNItems(ARR_NDIM(requests), ARR_DIMS(requests));
  });
}

void check_requests(Datum array) {
  const int number = guard([&] { return first_null(array); });
  if (number == 0) return;
  raise(sqlstate("22004"), {.message = "request number " + std::to_string(number) + " is NULL",
                            .detail = "No job was enqueued.",
                            .hint = {}});
}

// POD only: the first column of all rows.
void put_ids(ReturnSetInfo *result) {
  bool is_null = false;
  for (uint64 row = 0; row < SPI_processed; ++row) {
    Datum id = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null);
    tuplestore_putvalues(result->setResult, result->setDesc, &id, &is_null);
  }
}

// Every job that is in the way must be the same one. False: one of them is gone meanwhile.
bool are_all_same(const std::string &key, std::uint64_t rows) {
  for (std::uint64_t row = 0; row < rows; ++row) {
    const SameJob same = guard([&] { return read_same(row); });
    if (!same.exists) return false;
    if (!same.fits()) refuse_key(key + ":" + std::to_string(row + 1), same);
  }
  return true;
}

// What this call has inserted so far, over its tries. Ids are kept only where an answer was found.
class Inserted {
 public:
  // After an insert.
  void note(const AdmissionCall &call, std::uint64_t rows) {
    count_ += rows;
    hits_.insert(hits_.end(), call.hits().begin(), call.hits().end());
    for (std::uint64_t row = 0; row < rows && !call.hits().empty(); ++row) ids_.insert(read_id(row));
  }
  std::uint64_t count() const { return count_; }

  // The last statement's rows are all jobs of the call, in order: they are its result.
  void finish(ReturnSetInfo *result) const {
    guard([&] { put_ids(result); });
    if (!hits_.empty()) write_hits(hits_, ids_);
  }

 private:
  std::uint64_t count_ = 0;
  std::vector<AdmittedHit> hits_;
  std::unordered_set<std::int64_t> ids_;
};

void enqueue_many(EnqueueTerms &terms, ReturnSetInfo *result) {
  const Datum requests = terms.value(kRequestParameter);
  check_requests(requests);
  const auto count = static_cast<std::uint64_t>(count_requests(requests));
  const Installation &where = installation();
  RateCharge charge(static_cast<std::int64_t>(count), key_of(terms));
  Inserted inserted;
  SpiScope spi;
  if (terms.has(kKeyParameter)) {
    const std::uint64_t rows = find_same(terms, sql::Jobs::many, where);
    if (are_all_same(text_of(terms.value(kKeyParameter)), rows)) return guard([&] { put_ids(result); });
  }
  for (int tries = 0; tries < kTriesMax; ++tries) {
    AdmissionCall call(terms.now, cache_use(terms));
    RequestNumberContext context(call);
    const std::uint64_t now_inserted = insert_jobs(terms, sql::Jobs::many, where);
    inserted.note(call, now_inserted);
    if (now_inserted == count) return inserted.finish(result);
    need_key(terms);
    const std::string key = text_of(terms.value(kKeyParameter));
    const std::uint64_t rows = find_same(terms, sql::Jobs::many, where);
    if (!are_all_same(key, rows)) {
      charge.raise_refusal();
      continue;
    }
    charge.keep(static_cast<std::int64_t>(inserted.count()));
    return inserted.finish(result);
  }
  refuse_race(text_of(terms.value(kKeyParameter)));
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_enqueue_agent) {
  using namespace agent_queue::pg;
  EnqueueTerms terms = read_enqueue_terms(fcinfo, sql::Jobs::one, kEnqueueArguments);
  return enqueue_one(terms);
}

AQ_SQL_FUNCTION(aq_enqueue_agents) {
  using namespace agent_queue::pg;
  EnqueueTerms terms = read_enqueue_terms(fcinfo, sql::Jobs::many, kEnqueueArguments);
  guard([&] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
  enqueue_many(terms, reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo));
  return 0;
}
