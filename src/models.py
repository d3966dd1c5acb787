from thermal_landmarks.commands.models import main

if __name__ == "__main__":
    main()
