"""Program of the users statistics job: `spark-submit … users_stats_job.py --help`."""

import sys

from users_stats.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
