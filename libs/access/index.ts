export { AccessToken, readOrMakeToken } from './access-token.js';
export { guard, needOnApiPort, needOnOtlpPort, type GuardOptions } from './guard.js';
