/** Length of a field of `struct new_utsname` (include/uapi/linux/utsname.h): 64 characters and a zero. */
const UTS_FIELD = 65;

/**
 * Returns a copy of a User-mode Linux kernel whose `uname -r` is `release`. The release stands twice in the binary as a
 * whole utsname field; other mentions (modinfo, banner) are shorter and stay.
 */
export function withRelease(kernel: Buffer, release: string): Buffer {
  const current = /Linux version (\S+) /.exec(kernel.toString("latin1"))?.[1];
  if (current === undefined) throw new Error("Cannot find the release of the User-mode Linux kernel");
  const copy = Buffer.from(kernel);
  const field = utsField(current);
  let count = 0;
  for (let at = copy.indexOf(field); at !== -1; at = copy.indexOf(field, at + UTS_FIELD)) {
    utsField(release).copy(copy, at);
    count += 1;
  }
  if (count !== 2) throw new Error(`Cannot change the release of the kernel: found ${count} utsname fields, wanted 2`);
  return copy;
}

function utsField(text: string): Buffer {
  if (text.length >= UTS_FIELD) throw new Error(`Cannot use "${text}" as a kernel release: it is too long`);
  const field = Buffer.alloc(UTS_FIELD);
  field.write(text, "latin1");
  return field;
}
