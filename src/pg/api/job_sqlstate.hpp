// The SQLSTATEs of wait_agent(): class AQ, one a way in which a job can end badly. Part of the interface: clients
// branch on them, and docs/guide/jobs.md lists them.
//
//   AQ000  the job did not end in time; it goes on
//   AQ001  expired            AQ002  cancelled        AQ003  provider_error   AQ004  invalid_request
//   AQ005  configuration      AQ006  uncertain        AQ007  store_error      AQ008  budget_exceeded
//   AQ009  failed with an error_code that this version does not know
#pragma once

#include <string_view>

#include "pg/boundary/errors.hpp"

namespace agent_queue::pg {

inline SqlState timeout_sqlstate() {
  return sqlstate("AQ000");
}

inline SqlState job_sqlstate(std::string_view error_code) {
  if (error_code == "expired") return sqlstate("AQ001");
  if (error_code == "cancelled") return sqlstate("AQ002");
  if (error_code == "provider_error") return sqlstate("AQ003");
  if (error_code == "invalid_request") return sqlstate("AQ004");
  if (error_code == "configuration") return sqlstate("AQ005");
  if (error_code == "uncertain") return sqlstate("AQ006");
  if (error_code == "store_error") return sqlstate("AQ007");
  if (error_code == "budget_exceeded") return sqlstate("AQ008");
  return sqlstate("AQ009");
}

}  // namespace agent_queue::pg
