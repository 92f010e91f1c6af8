"""What every route needs of HTTP: answers, problems, bodies, parameters, the gate."""
