import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { ContentStore } from './content-store.js';

describe('The content store', () => {
  let home: string;
  let folder: string;
  let store: ContentStore;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'content-store-'));
    folder = join(home, 'content');
    store = new ContentStore(folder);
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  const filesIn = (path: string) =>
    readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

  test('keeps a text under the hash of it and reads it back', async () => {
    const text = 'Fix the bug, then say "done" – 🙂';
    const hash = await store.keep(text);
    expect(hash).toBe(createHash('sha256').update(text).digest('hex'));
    expect(await store.read(hash)).toBe(text);
    expect(await new ContentStore(folder).read(hash)).toBe(text);
  });

  test('keeps a text once, however often it comes, also at the same time', async () => {
    const hashes = await Promise.all(Array.from({ length: 20 }, () => store.keep('again')));
    expect(new Set(hashes).size).toBe(1);
    expect(filesIn(folder).map(({ name }) => name)).toEqual([hashes[0]]);
  });

  test('lets nobody but its owner read', async () => {
    const hash = await store.keep('private');
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(folder)).toBe(0o700);
    expect(mode(join(folder, hash.slice(0, 2)))).toBe(0o700);
    expect(mode(join(folder, hash.slice(0, 2), hash))).toBe(0o600);
  });

  test('erases a text, which then is not there', async () => {
    const hash = await store.keep('to be forgotten');
    await store.erase(hash);
    expect(await store.read(hash)).toBeUndefined();
    expect(filesIn(folder)).toEqual([]);
    await expect(store.erase(hash)).resolves.toBeUndefined();
  });

  describe('that keeps what is recent in memory', () => {
    beforeEach(() => {
      store = new ContentStore(folder, 10);
    });

    test('gives it word for word, and the file again once there is too much', async () => {
      const texts = ['12345678', '9 🙂', 'half \ud83d'];
      const hashes: string[] = [];
      for (const text of texts) hashes.push(await store.keep(text));
      const readAll = (from: ContentStore) => Promise.all(hashes.map((it) => from.read(it)));
      expect(await readAll(store)).toEqual(await readAll(new ContentStore(folder)));
      for (const { parentPath, name } of filesIn(folder)) writeFileSync(join(parentPath, name), '');
      expect(await readAll(store)).toEqual(['', '9 🙂', 'half \ufffd']);
    });

    test('gives nothing that was erased, by itself or by somebody else', async () => {
      const [first, second] = [await store.keep('a'), await store.keep('b')];
      await store.erase(first);
      await new ContentStore(folder).erase(second);
      expect(await Promise.all([first, second].map((it) => store.read(it)))).toEqual([
        undefined,
        undefined,
      ]);
    });
  });

  test('knows nothing of a hash it has never given', async () => {
    expect(await store.read('0'.repeat(64))).toBeUndefined();
    await expect(store.erase('0'.repeat(64))).resolves.toBeUndefined();
  });

  test.each([limits.contentBytesMax, limits.contentBytesMax + 1, 2 * limits.contentBytesMax])(
    'keeps at most its limit of a text of %d bytes',
    async (length) => {
      // Each of these characters is three bytes, so that the cut must look where it falls.
      const text = '–'.repeat(Math.floor(length / 3)) + 'x'.repeat(length % 3);
      const kept = (await store.read(await store.keep(text))) ?? '';
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(limits.contentBytesMax);
      expect(kept.includes('\ufffd')).toBe(false);
      if (length > limits.contentBytesMax) {
        expect(kept.endsWith(`\n[cut: ${length} bytes in all]`)).toBe(true);
      } else expect(kept === text).toBe(true);
    },
  );

  test.each([
    '',
    '..',
    '../../etc/passwd',
    `../${'a'.repeat(61)}`,
    'A'.repeat(64),
    `${'a'.repeat(64)}\n`,
    `${'a'.repeat(63)}\0`,
  ])('refuses %j, which is no hash', async (hash) => {
    await expect(store.read(hash)).rejects.toThrow('A content hash has 64 hexadecimal digits.');
    await expect(store.erase(hash)).rejects.toThrow('A content hash has 64 hexadecimal digits.');
  });
});
