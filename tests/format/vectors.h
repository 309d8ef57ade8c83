// Files of one small repository, as restic 0.19.1 wrote them (`init`, then `backup /srv/vec` with
// TZ=America/St_Johns), with what they hold.
#pragma once

#include <string>
#include <string_view>

namespace restree::vectors {

inline constexpr std::string_view kPassword = "restic-vector";

inline constexpr std::string_view kKeyId =
    "fef6f36d92322b485c7893c8cddf1ae70c69265be716e6fb3aec1507ad09f6c2";
inline constexpr std::string_view kKeyFile =
    R"json({"created":"2026-11-22T20:40:55.981724638Z","username":"alice","hostname":"example","kdf":"scrypt","N":32768,"r":8,"p":1,"salt":"8FMh49nXYXaIq06ihuwAJCkmdl/su2QNQRWq1zZ5LwVFjUFhCVPTc/k4SHDd6B/t1JmLe374Cwi7vAmNnijhOw==","data":"nmErpD34ui3wMqypQ226rxAs5IOo9NrRIx4pYXrecUuX3uxpgkTO9p+hrjhUREQC6mvbuR+ignkeYAdfRPood9lN2a9/AG2kXGDWKnIOvOKSUWdEhjTZiBWwPn5mjArgD0Y5YJn8lnkxAJJjKKHqBpJgUNqEWfON5DlFrDYPpVx1reJw/SONFzFrYqywiQeH5RMMYFs8KbQVvm1AaIvPRw=="})json";
inline constexpr std::string_view kDerivedKey =
    "a33ac3e206eb08685b14ea4ea8884f7994eb9896288c76f13c8d3faa0fb0e2eb"
    "427a347f5e07c5cab15391ed33ac7c31ca330039f378ac57a28e2d4a904ae58b";
inline constexpr std::string_view kMasterKey =
    R"json({"mac":{"k":"RzkFHEEMy5coe/1XnQKwew==","r":"xhXFB0wKS7QVPdhQh2fJsA=="},"encrypt":"KzRq7CnemGeIkPQlGpuirOyST04I45tXQXeHtqHeNzw="})json";
inline constexpr std::string_view kEncrypt =
    "2b346aec29de98678890f4251a9ba2acec924f4e08e39b57417787b6a1de373c";
inline constexpr std::string_view kMacK = "4739051c410ccb97287bfd579d02b07b";
inline constexpr std::string_view kMacR = "c615c5074c0a4bb4153dd8508767c9b0";

inline constexpr std::string_view kConfigFile =
    "04838cf88ac09a80179f108d11a96c8c0b6543fc449fc7ed3cafd6b3fd869c245413c197d1d377262bcb9421af5a"
    "1b103fffebe4b74245a247369eb3d7ec8362fcdd5ced11a524756cbc27a3892d9b2af0d9f3e5d72d85186f1e62d1"
    "b47006b00e2f106b8aa015acbec069e98b6aa24ee8658548cd18140248eeb0fbf5acd01cceacf81812fecc3c11fa"
    "6b290e32db164b5d4d8da72b0a9d782e89";
inline constexpr std::string_view kConfig =
    R"json({"version":2,"id":"6afa122872c1e66beaede2a94c757d5a693f2ffb305e8e20964daa5e3d620312","chunker_polynomial":"2d607483fe70cf"})json";

inline constexpr std::string_view kSnapshotId =
    "51fde821a3f87c2272e439322ceae3780c54bf2ca4936fc4ac62c4da23654a96";
inline constexpr std::string_view kSnapshotFile =
    "616059a3519dfcb155d8efe33f8f676e788ee5b08c10f8175969eff02d039be4125a04b4799f4591be09587ffaae"
    "158f40f61538bec38e607ad05cef934575e66877681f28afacc1c384c9ec379c622f2c160cfc82016fe9163d69b1"
    "167a505e3bfce12bc1addc9f3caa87609c7eca59668fcd11ab7d0f87e2d756cfa9261f59bb172a82a6ec85916d00"
    "6ac841a76b553452f0aa11e84ce39248761521534b82ab9274b22145300f8b7237c93cde469631cdacbbaf77c9e3"
    "f9afe6bb85a3d473a47d885ae0f014ba9b2e72c36ed6447c03c9427e2876d9b9e74c1a1698ebed42fab64bdc8667"
    "b812a5980b1c4fc99d7df2cc04516d5b9ab9d8508115f2c2b9cda2e5ae575067fd21cce41cc93846437157bd85bd"
    "8cd532eaa12001ac8822a9548705e65f8262321ef4450c78ba540830350206a56b31853f8395d8967bb268ec8f27"
    "e25d21336be31629ad3774d0bb6ba03287817a4f02d135e71dc0734631283363509034db25a850cf040fe0337ed8"
    "857ae4c9fbe107caacbea5";
inline constexpr std::string_view kSnapshot =
    R"json({"time":"2024-07-01T12:00:00-02:30","tree":"8b154ab5f8b85c2a32d2edb6253bbdc4d8a6079ab87cdd53e6c730d8efce342a","paths":["/srv/vec"],"hostname":"h","username":"root","tags":["t1","\u003ct2\u003e"],"program_version":"restic 0.19.1","summary":{"backup_start":"2026-11-22T17:11:02.621965616-03:30","backup_end":"2026-11-22T17:11:02.939401331-03:30","files_new":14,"files_changed":0,"files_unmodified":0,"dirs_new":1,"dirs_changed":0,"dirs_unmodified":0,"data_blobs":1,"tree_blobs":2,"data_added":6790,"data_added_packed":1149,"total_files_processed":14,"total_bytes_processed":13}})json";

inline constexpr std::string_view kPackId =
    "75568523465bc1467eb0cf279de277b3b98ca70dba3d27b421976fdeabd986ed";
inline constexpr std::string_view kPackFile =
    "81af5d728fe8f163fbd92e107fce9085fa47906c26ffacc2dd6d863675cf577e365f98db19caa851d8b363db5fd0"
    "4f979c0e8699cbc54f4bac625ff838c5edd0521c6fe5d8e79749a2e73d49a6ac9ba229b5e666817c4c14fb4dfbc9"
    "36383f4e1293f15af5df622f8fc4311fefbd82e9c515eb49000000";
inline constexpr std::string_view kPackHeader =
    "022a000000010000002d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
// The one blob of the pack: the letter x.
inline constexpr std::string_view kDataBlobId =
    "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

inline constexpr std::string_view kIndex =
    R"json({"packs":[{"id":"75568523465bc1467eb0cf279de277b3b98ca70dba3d27b421976fdeabd986ed","blobs":[{"id":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","type":"data","offset":0,"length":42,"uncompressed_length":1}]},{"id":"32311c0ef1b328c5bfe5c381893729ba8c8b0da3506e9b92189a42651bf27971","blobs":[{"id":"ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8","type":"tree","offset":0,"length":54,"uncompressed_length":13},{"id":"8b154ab5f8b85c2a32d2edb6253bbdc4d8a6079ab87cdd53e6c730d8efce342a","type":"tree","offset":54,"length":930,"uncompressed_length":6776}]}]}
)json";

// A directory with every oddity that names, times and types have on Linux.
inline constexpr std::string_view kTreeId =
    "8b154ab5f8b85c2a32d2edb6253bbdc4d8a6079ab87cdd53e6c730d8efce342a";
inline constexpr std::string_view kEmptyTreeId =
    "ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8";
inline constexpr std::string_view kTreeLines =
    R"json({"nodes":[{"name":"\u003ca\u0026b\u003e","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359890,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"all7","type":"file","mode":13631999,"mtime":"1901-12-13T17:15:01-03:30","atime":"1901-12-13T17:15:01-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359899,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"back\\\\q\\\"","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359891,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"blk","type":"dev","mode":67109280,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359904,"device_id":65024,"links":1,"device":1114924,"content":null},
{"name":"dir","type":"dir","mode":2148532735,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359907,"device_id":65024,"extended_attributes":[{"name":"user.z","value":"AP8="}],"content":null,"subtree":"ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8"},
{"name":"empty","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359898,"device_id":65024,"links":1,"content":[]},
{"name":"fifo","type":"fifo","mode":33554816,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359902,"device_id":65024,"content":null},
{"name":"hl1","type":"file","mode":420,"mtime":"2023-11-14T18:43:20-03:30","atime":"2023-11-14T18:43:20-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359901,"device_id":65024,"size":1,"links":2,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"hl2","type":"file","mode":420,"mtime":"2023-11-14T18:43:20-03:30","atime":"2023-11-14T18:43:20-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359901,"device_id":65024,"size":1,"links":2,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"ln","type":"symlink","mode":134218239,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359905,"device_id":65024,"links":1,"linktarget":"a\u003cb\u003e\u0026\"\\\b\f\n\r\t\u0001\u2028/é","content":null},
{"name":"lninv","type":"symlink","mode":134218239,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359906,"device_id":65024,"links":1,"linktarget":"bad\ufffd\ufffd","linktarget_raw":"YmFk//4=","content":null},
{"name":"ls\\u2028","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359896,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"mode0","type":"file","mtime":"1969-12-31T20:30:00.000000001-03:30","atime":"1969-12-31T20:30:00.000000001-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":54321,"gid":54322,"inode":1359900,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"nb\\u00a0zwj\\u200d","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359895,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"null","type":"chardev","mode":69206454,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359903,"device_id":65024,"links":1,"device":259,"content":null},
{"name":"pua\\U000f0000","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359897,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"tab\\tnl\\n\\a\\x7f","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359893,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"xa","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359908,"device_id":65024,"size":1,"links":1,"extended_attributes":[{"name":"user.b","value":"dg=="},{"name":"user.a","value":""}],"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"é😀","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359894,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]},
{"name":"\\xff\\xfe","type":"file","mode":420,"mtime":"2023-11-14T18:43:20.12-03:30","atime":"2023-11-14T18:43:20.12-03:30","ctime":"2026-11-22T17:10:49.702325215-03:30","uid":0,"gid":0,"user":"root","group":"root","inode":1359892,"device_id":65024,"size":1,"links":1,"content":["2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}]})json";

// The blob: the lines without their breaks, and a newline at the end.
inline std::string tree_blob() {
  std::string blob(kTreeLines);
  std::erase(blob, '\n');
  return blob += '\n';
}

}  // namespace restree::vectors
