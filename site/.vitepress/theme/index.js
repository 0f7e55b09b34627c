import { defineAsyncComponent } from 'vue';
import DefaultTheme from 'vitepress/theme-without-fonts';

import './style.css';

/** VitePress' own theme, and the playground as the layout of its page: it brings the judgement, which no other page needs. */
export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component(
      'playground',
      defineAsyncComponent(() => import('./Playground.vue')),
    );
  },
};
