import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettingsFile, writeSettingsFile } from './settings-file.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tri-agent-ctl-'));
  path = join(folder, 'settings.json');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('A settings file', () => {
  test('is not written over what somebody else wrote in the meantime', async () => {
    await writeFile(path, '{}');
    const file = await readSettingsFile(path);
    await writeFile(path, '{"mine": 1}');
    await expect(writeSettingsFile(file, '{"ours": 1}')).rejects.toMatchObject({
      code: 'settings_busy',
    });
    expect(await readFile(path, 'utf8')).toBe('{"mine": 1}');
    expect(await readdir(folder)).toEqual(['settings.json']);
  });

  test('is refused when it is a link that leads back to itself', async () => {
    await symlink('settings.json', path);
    await expect(readSettingsFile(path)).rejects.toThrow('leads back to itself');
  });

  test('is refused when it is not UTF-8', async () => {
    await writeFile(path, Buffer.from([0x7b, 0xff, 0x7d]));
    await expect(readSettingsFile(path)).rejects.toThrow('is not UTF-8');
  });

  test('is refused when it is too large to be settings', async () => {
    await writeFile(path, ' '.repeat(1024 * 1024 + 1));
    await expect(readSettingsFile(path)).rejects.toThrow('too large');
  });
});
