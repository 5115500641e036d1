export { compilePattern, MAX_TEXT_LENGTH, PatternError, TextPattern } from './text-pattern.js';
