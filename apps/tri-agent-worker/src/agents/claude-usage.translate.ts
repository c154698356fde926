import { limits } from '#kernel/limits.js';
import type { News } from './agent.js';
import { countOf, nameOf, objectOf, objectsOf, textOf, type Json } from './output.translate.js';

/**
 * What Claude Code's `assistant` lines tell of a request while it is still being answered. Each part of an answer
 * is a line of its own, and each repeats the same input, which is exact; their `output_tokens` are those of the
 * answer's first moment, so that what is put out is estimated by its characters.
 */
export class ClaudeUsage {
  private readonly counted = new Set<string>();

  of(message: Json | undefined): News[] {
    const usage = objectOf(message?.['usage']);
    const model = nameOf(message?.['model']);
    if (usage === undefined || model === undefined) return [];
    const characters = objectsOf(message?.['content']).map(charactersOf);
    const outputTokens = Math.ceil(
      characters.reduce((all, more) => all + more, 0) / limits.charactersPerTokenEstimated,
    );
    const tier = nameOf(usage['service_tier']) ?? null;
    const input = this.isCounted(nameOf(message?.['id'])) ? nothing : inputOf(usage);
    return [{ is: 'usage', usage: { model, tier, outputTokens, ...input } }];
  }

  /** What has no id is counted each time: rather too much than too little. */
  private isCounted(id: string | undefined): boolean {
    if (id === undefined) return false;
    if (this.counted.has(id)) return true;
    if (this.counted.size >= limits.messagesRememberedMax) this.counted.clear();
    this.counted.add(id);
    return false;
  }
}

const nothing = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheCreationTokens: 0,
  cacheCreation1hTokens: null,
};

function inputOf(usage: Json) {
  const perHour = objectOf(usage['cache_creation'])?.['ephemeral_1h_input_tokens'];
  return {
    inputTokens: countOf(usage['input_tokens']) ?? 0,
    cacheReadTokens: countOf(usage['cache_read_input_tokens']) ?? 0,
    cacheCreationTokens: countOf(usage['cache_creation_input_tokens']) ?? 0,
    cacheCreation1hTokens: countOf(perHour) ?? null,
  };
}

function charactersOf({ text, thinking, input }: Json): number {
  const said = (textOf(text) ?? textOf(thinking) ?? '').length;
  return said + (input === undefined ? 0 : JSON.stringify(input).length);
}
