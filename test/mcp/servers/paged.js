// Lists its tools in pages of one, including a malformed tool. With `endless`, there is no last page.
import { serve } from './serve.js';

const endless = process.argv[2] === 'endless';
const pages = [{ name: 'one', description: 'the first' }, { description: 'nameless' }, { name: 'two', description: 3 }];
serve({
  'tools/list': (params) => {
    const page = Number(params?.cursor ?? 0);
    const isLast = !endless && page === pages.length - 1;
    return { tools: [pages[page % pages.length]], ...(isLast ? {} : { nextCursor: String(page + 1) }) };
  },
});
