/**
 * Parts of Node that every short answer needs. `import 'node:fs'` makes names of all that the module
 * has, for which Node loads much that is behind them (streams, workers, readline); this way it does not.
 */
export const { existsSync, readFileSync, readlinkSync } = process.getBuiltinModule('node:fs');
export const { get } = process.getBuiltinModule('node:http');
export const { enableCompileCache } = process.getBuiltinModule('node:module');
export const { homedir } = process.getBuiltinModule('node:os');
export const { stripVTControlCharacters, styleText } = process.getBuiltinModule('node:util');
