import { realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { limits } from '#kernel/limits.js';
import { reasonOf } from '../failure.js';
import { tooLong } from './task-fields.js';
import { readText } from './read-text.js';

/** A character of JavaScript takes three bytes of UTF-8 at most; and there may be a byte order mark. */
export const promptBytesMax = limits.promptCharactersMax * 3 + 3;

/** What is wrong with a prompt as a whole, or undefined. */
export function promptFault(prompt: string): string | undefined {
  if (prompt.trim() === '') return 'is empty';
  return prompt.length > limits.promptCharactersMax
    ? tooLong(prompt, limits.promptCharactersMax)
    : undefined;
}

/**
 * Reads the prompts that a task file names. They stay in one folder, links included: a task file may be
 * somebody else's, and what it names is sent to an agent. Another folder is the operator's to give.
 */
export class PromptFiles {
  readonly #read = new Map<string, Promise<string>>();

  constructor(private readonly folder: string) {}

  /** @throws {Error} with the reason why the file is none. */
  async prompt(name: string): Promise<string> {
    const known = this.#read.get(name) ?? this.#readPrompt(name);
    this.#read.set(name, known);
    return known;
  }

  async #readPrompt(name: string): Promise<string> {
    if (isAbsolute(name)) {
      throw new Error(`promptFile must be relative: name its folder with --prompts instead`);
    }
    const [folder, file] = await Promise.all(
      [this.folder, join(this.folder, name)].map((path) => realpath(path)),
    ).catch((error: unknown) => {
      throw new Error(`promptFile cannot be read: ${reasonOf(error)}`);
    });
    if (!file?.startsWith(`${folder}${folder?.endsWith(sep) ? '' : sep}`)) {
      throw new Error(`promptFile must stay in ${this.folder}: name another folder with --prompts`);
    }
    const text = await readText({}, file, promptBytesMax);
    const fault = promptFault(text);
    if (fault !== undefined) throw new Error(`promptFile ${fault}`);
    return text;
  }
}
