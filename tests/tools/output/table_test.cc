#include "tools/output/table.h"

#include <gmock/gmock.h>

namespace restree {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestLine) {
  Table table({"ID", "Name", "Tags"});
  table.add_row({"1", "long name", "a\nb"});
  table.add_row({"22", "ä", ""});
  table.add_footer("2 rows");
  EXPECT_EQ(table.text(),
            "ID  Name       Tags\n"
            "-------------------\n"
            "1   long name  a\n"
            "               b\n"
            "22  ä\n"
            "-------------------\n"
            "2 rows\n");
}

TEST(Table, WidthsAreColumnsOfATerminal) {
  Table table({"Host", "Path"});
  table.add_row({"写真", "/a"});
  table.add_row({"e\u0301", "/b"});
  table.add_row({"😀", "/c"});
  EXPECT_EQ(table.text(),
            "Host  Path\n"
            "----------\n"
            "写真  /a\n"
            "e\u0301     /b\n"
            "😀    /c\n"
            "----------\n");
}

TEST(Table, RowsOfSeveralLinesCanStandApart) {
  Table table({"ID"});
  table.add_row({"1\n2"});
  table.add_row({"3"});
  table.separate_rows();
  EXPECT_EQ(table.text(), "ID\n--\n1\n2\n\n3\n--\n");
}

}  // namespace
}  // namespace restree
