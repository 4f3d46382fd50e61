"""Prints the options of the installed Airflow as SECTION__KEY, one a line, `secret` behind those that may be secret.

    python airflow_options.py > airflow.txt
"""

from airflow.configuration import conf, retrieve_configuration_description
from airflow.version import version

print(f"# Options of Airflow {version}, without its providers'. Made by: python airflow_options.py > airflow.txt")
print("# Those marked `secret` may also be set as AIRFLOW__SECTION__KEY_CMD.")
for section, description in sorted(retrieve_configuration_description(include_providers=False).items()):
    for option in sorted(description["options"]):
        mark = " secret" if (section, option) in conf.sensitive_config_values else ""
        print(f"{section}__{option}".upper() + mark)
