"""The street front: windows for people, a desk for machines, a letterbox for webhooks, a boiler room for operators."""
