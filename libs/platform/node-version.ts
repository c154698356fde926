/**
 * Every entry point imports this before anything else, because on an older Node the native SQLite
 * binding would abort the process without a word.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 14)) {
  process.stderr.write(
    `tri-agent needs Node 22.14 or newer and this is ${process.versions.node}. ` +
      'Start it through npm (npm start), which brings its own Node on Linux, or install a newer one.\n',
  );
  process.exit(1);
}
