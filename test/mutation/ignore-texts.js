import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** Strings with words between spaces are texts for people. */
const WORDS = /\S \S|^ \S|\S $/;

/** Leaves out mutants of texts, such as messages of errors. Tests assert codes and facts, not the wording. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'texts', {
    shouldIgnore({ node }) {
      const isText =
        (node.type === 'StringLiteral' && WORDS.test(node.value)) ||
        (node.type === 'TemplateLiteral' && node.quasis.some(({ value }) => WORDS.test(value.raw)));
      return isText ? 'Text for people' : undefined;
    },
  }),
];
