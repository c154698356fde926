import { decodePids, isPopulated, ownCgroupFolder } from './containment.decode.js';

const v2 = '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const besideV1 = [
  '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu',
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
  '',
].join('\n');

describe('The folder of the own control group', () => {
  test.each([
    ['of a unit', '0::/user.slice/a.service\n', v2, '/sys/fs/cgroup/user.slice/a.service'],
    ['of the first one', '0::/\n', v2, '/sys/fs/cgroup'],
    ['beside version 1', '9:name=systemd:/\n1:cpu:/x\n0::/\n', besideV1, '/sys/fs/cgroup/unified'],
    [
      'in a container that shows a part of them',
      '0::/docker/ab/c\n',
      v2.replace(' / ', ' /docker/ab '),
      '/sys/fs/cgroup/c',
    ],
    [
      'that is all that is shown',
      '0::/docker/ab\n',
      v2.replace(' / ', ' /docker/ab '),
      '/sys/fs/cgroup',
    ],
    [
      'below a folder with a space',
      '0::/a\n',
      v2.replace('/sys/fs/cgroup', String.raw`/my\040groups`),
      '/my groups/a',
    ],
  ])('%s', (_, cgroup, mountinfo, folder) => {
    expect(ownCgroupFolder(cgroup, mountinfo)).toBe(folder);
  });

  test.each([
    ['there is version 1 only', '1:cpu:/\n', besideV1],
    ['version 2 is not mounted', '0::/\n', besideV1.split('\n')[0]!],
    ['it lies above what is shown', '0::/../other\n', v2],
    ['another part is shown', '0::/docker/abc\n', v2.replace(' / ', ' /docker/ab ')],
    ['nothing is told', '', ''],
  ])('is none where %s', (_, cgroup, mountinfo) => {
    expect(ownCgroupFolder(cgroup, mountinfo)).toBeUndefined();
  });
});

test('A group is empty only when it says so', () => {
  expect(isPopulated('populated 0\nfrozen 0\n')).toBe(false);
  expect(isPopulated('populated 1\nfrozen 0\n')).toBe(true);
  expect(isPopulated('')).toBe(true);
});

test('Pids are numbers above 0, for 0 is what cannot be seen', () => {
  expect(decodePids('12\n0\n7\nx\n')).toEqual([12, 7]);
});
