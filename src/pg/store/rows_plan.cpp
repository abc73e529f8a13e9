#include "pg/store/rows_plan.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::string_view kRows = "@rows@";

struct ArrayType {
  std::string_view element;
  Oid oid;
};

// Some have no macro of their own in pg_type_d.h of all versions.
constexpr ArrayType kArrayTypes[] = {
    {"tid", 1010},
    {"text", TEXTARRAYOID},
    {"int4", INT4ARRAYOID},
    {"int8", INT8ARRAYOID},
    {"float8", FLOAT8ARRAYOID},
    {"timestamptz", TIMESTAMPTZARRAYOID},
    {"bool", BOOLARRAYOID},
    {"uuid", 2951},
};

Oid array_of(std::string_view element) {
  for (const ArrayType &type : kArrayTypes)
    if (type.element == element) return type.oid;
  throw std::logic_error("no array type for " + std::string(element));
}

std::vector<unsigned int> types_of(std::span<const RowColumn> columns, std::initializer_list<unsigned int> others) {
  std::vector<unsigned int> types;
  for (const RowColumn &column : columns) types.push_back(array_of(column.type));
  types.insert(types.end(), others);
  return types;
}

// "(a, b)": what `cell` makes of each column's number and type.
template <typename Cell>
std::string list_of(std::span<const RowColumn> columns, Cell cell) {
  std::string list;
  for (std::size_t i = 0; i < columns.size(); ++i) list += (i == 0 ? "" : ", ") + cell(i);
  return list;
}

std::string array_parameter(std::span<const RowColumn> columns, std::size_t i) {
  return "$" + std::to_string(i + 1) + "::pg_catalog." + columns[i].type + "[]";
}

// Only without its schema does unnest take several arrays.
std::string many_rows(std::span<const RowColumn> columns) {
  return "unnest(" + list_of(columns, [&](std::size_t i) { return array_parameter(columns, i); }) + ")";
}

std::string one_row(std::span<const RowColumn> columns) {
  return "(SELECT " + list_of(columns, [&](std::size_t i) { return "(" + array_parameter(columns, i) + ")[1]"; }) + ")";
}

std::string with_rows(std::string sql, std::span<const RowColumn> columns, const std::string &rows,
                      const Installation &where) {
  const std::string names = list_of(columns, [&](std::size_t i) { return std::string(columns[i].name); });
  sql.replace(sql.find(kRows), kRows.size(), rows + " AS r (" + names + ")");
  return render_sql(sql, where);
}

}  // namespace

RowsPlan::RowsPlan(const char *sql, std::span<const RowColumn> columns, std::initializer_list<unsigned int> others,
                   const Installation &where)
    : many_(with_rows(sql, columns, many_rows(columns), where), types_of(columns, others)),
      one_(with_rows(sql, columns, one_row(columns), where), types_of(columns, others)) {}

std::uint64_t RowsPlan::run(DatumValue *values, std::size_t rows) {
  return (rows == 1 ? one_ : many_).run(values, nullptr, KeptPlan::Mode::read_write);
}

}  // namespace agent_queue::pg
