import config from '../../jest.config.js';

/** The unit layer as a whole configuration, since Stryker takes no projects; which tests run it is told for each file. */
const [unit] = config.projects;

export default { ...unit, rootDir: '../..' };
